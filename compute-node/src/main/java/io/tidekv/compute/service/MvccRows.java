package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.txn.MvccInspect;
import io.tidekv.proto.kvrpcpb.MvccInfo;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything stored for transactional keys of a range, for people who look into a cluster. */
final class MvccRows {
    private final KvSnapshot view;
    private final KvIterator locks;
    private final KvIterator writes;

    private MvccRows(KvSnapshot view, KvIterator locks, KvIterator writes) {
        this.view = view;
        this.locks = locks;
        this.writes = writes;
    }

    /** A key as stored, without timestamp, and what there is of it. */
    record Row(ByteString key, MvccInfo info) {}

    /** The first keys in {@code [from, to)} that have a lock or a write. */
    static List<Row> read(KvSnapshot view, byte[] from, byte @Nullable [] to, int limit) {
        try (KvIterator locks = view.iterator(Cf.LOCK, from, to);
                KvIterator writes = view.iterator(Cf.WRITE, from, to)) {
            return new MvccRows(view, locks, writes).read(limit);
        }
    }

    private List<Row> read(int limit) {
        locks.seekToFirst();
        writes.seekToFirst();
        List<Row> rows = new ArrayList<>();
        while (rows.size() < limit) {
            TxnKey lock = locks.isValid() ? TxnKey.ofEncoded(locks.key()) : null;
            TxnKey write = writes.isValid() ? TxnKey.ofVersioned(writes.key()) : null;
            TxnKey key = first(lock, write);
            if (key == null) {
                break;
            }
            rows.add(
                    new Row(
                            UnsafeByteOperations.unsafeWrap(key.encoded()),
                            MvccInspect.inspect(key, view)));
            if (lock != null && key.equals(lock)) {
                locks.next();
            }
            if (write != null && key.equals(write)) {
                writes.seek(key.end());
            }
        }
        return rows;
    }

    private static @Nullable TxnKey first(@Nullable TxnKey left, @Nullable TxnKey right) {
        if (left == null || right == null) {
            return left == null ? right : left;
        }
        return left.compareTo(right) <= 0 ? left : right;
    }
}
