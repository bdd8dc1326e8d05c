package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteRecord;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects what a transactional command changes. Later changes of a key stand over earlier ones.
 */
final class MvccWriter {
    private final WriteBatchBuilder batch = new WriteBatchBuilder();
    private final List<Released> released = new ArrayList<>();

    WriteBatchBuilder batch() {
        return batch;
    }

    /** Locks that go when the batch is applied. */
    List<Released> released() {
        return released;
    }

    void putLock(TxnKey key, LockRecord lock) {
        batch.put(Cf.LOCK, key.encoded(), LockCodec.encode(lock));
    }

    /**
     * Removes a lock.
     *
     * @param commitTs 0 when its transaction does not commit
     */
    void deleteLock(TxnKey key, LockRecord lock, long commitTs) {
        batch.delete(Cf.LOCK, key.encoded());
        released.add(new Released(key, lock.startTs(), commitTs));
    }

    void putWrite(TxnKey key, long commitTs, WriteRecord write) {
        batch.put(Cf.WRITE, key.at(commitTs), WriteCodec.encode(write));
    }

    void deleteWrite(TxnKey key, long commitTs) {
        batch.delete(Cf.WRITE, key.at(commitTs));
    }

    void putValue(TxnKey key, long startTs, ByteString value) {
        batch.put(Cf.DEFAULT, key.at(startTs), value.toByteArray());
    }

    void deleteValue(TxnKey key, long startTs) {
        batch.delete(Cf.DEFAULT, key.at(startTs));
    }
}
