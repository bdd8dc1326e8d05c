package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteRecord;

/**
 * Collects what a transactional command changes. Later changes of a key stand over earlier ones.
 */
final class MvccWriter {
    private WriteBatchBuilder batch = new WriteBatchBuilder();

    WriteBatchBuilder batch() {
        return batch;
    }

    /** Forgets everything. */
    void clear() {
        batch = new WriteBatchBuilder();
    }

    void putLock(TxnKey key, LockRecord lock) {
        batch.put(Cf.LOCK, key.encoded(), LockCodec.encode(lock));
    }

    void deleteLock(TxnKey key) {
        batch.delete(Cf.LOCK, key.encoded());
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
