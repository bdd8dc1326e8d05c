package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import io.tidekv.proto.kvrpcpb.MvccInfo;
import io.tidekv.proto.kvrpcpb.MvccLock;
import io.tidekv.proto.kvrpcpb.MvccValue;
import io.tidekv.proto.kvrpcpb.MvccWrite;
import io.tidekv.proto.kvrpcpb.Op;
import org.jspecify.annotations.Nullable;

/** Shows everything stored for a key, for people who look into a cluster. */
public final class MvccInspect {
    private MvccInspect() {}

    public static MvccInfo inspect(TxnKey key, KvSnapshot snapshot) {
        MvccInfo.Builder info = MvccInfo.newBuilder();
        try (MvccReader reader = new MvccReader(snapshot)) {
            LockRecord lock = reader.lock(key);
            if (lock != null) {
                info.setLock(describe(lock));
            }
        }
        byte[] from = key.at(Ts.MAX);
        try (KvIterator writes = snapshot.iterator(Cf.WRITE, from, key.end())) {
            for (writes.seekToFirst(); writes.isValid(); writes.next()) {
                WriteRecord write = WriteCodec.decode(writes.value());
                info.addWrites(describe(Ints.lastDesc(writes.key()), write));
            }
        }
        try (KvIterator values = snapshot.iterator(Cf.DEFAULT, from, key.end())) {
            for (values.seekToFirst(); values.isValid(); values.next()) {
                info.addValues(
                        MvccValue.newBuilder()
                                .setStartTs(Ints.lastDesc(values.key()))
                                .setValue(UnsafeByteOperations.unsafeWrap(values.value())));
            }
        }
        return info.build();
    }

    /** A key on which the transaction has left a lock or a record; null when there is none. */
    public static @Nullable TxnKey find(KvSnapshot snapshot, long startTs) {
        try (KvIterator locks = snapshot.iterator(Cf.LOCK, null, null)) {
            for (locks.seekToFirst(); locks.isValid(); locks.next()) {
                if (LockCodec.decode(locks.value()).startTs() == startTs) {
                    return TxnKey.ofEncoded(locks.key());
                }
            }
        }
        try (KvIterator writes = snapshot.iterator(Cf.WRITE, null, null)) {
            for (writes.seekToFirst(); writes.isValid(); writes.next()) {
                if (WriteCodec.decode(writes.value()).startTs() == startTs) {
                    return TxnKey.ofVersioned(writes.key());
                }
            }
        }
        return null;
    }

    // As TiKV does, only part of the record is shown here.
    private static MvccLock describe(LockRecord lock) {
        return MvccLock.newBuilder()
                .setType(KeyErrors.op(lock.kind()))
                .setStartTs(lock.startTs())
                .setPrimary(lock.primary())
                .setShortValue(orEmpty(lock.shortValue()))
                .setLastChangeTs(lock.lastChange().ts())
                .setVersionsToLastChange(lock.lastChange().versions())
                .build();
    }

    private static MvccWrite describe(long commitTs, WriteRecord write) {
        return MvccWrite.newBuilder()
                .setType(op(write.kind()))
                .setStartTs(write.startTs())
                .setCommitTs(commitTs)
                .setShortValue(orEmpty(write.shortValue()))
                .build();
    }

    private static Op op(WriteKind kind) {
        return switch (kind) {
            case PUT -> Op.Put;
            case DELETE -> Op.Del;
            case LOCK -> Op.Lock;
            case ROLLBACK -> Op.Rollback;
        };
    }

    private static ByteString orEmpty(@Nullable ByteString value) {
        return value == null ? ByteString.EMPTY : value;
    }
}
