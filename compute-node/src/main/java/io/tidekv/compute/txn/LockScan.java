package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.ScanLockResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Finds locks in a range. */
public final class LockScan {
    private LockScan() {}

    /** All kinds of locks that started at or below the request's version. */
    public static ScanLockResponse scan(
            ScanLockRequest request, KvSnapshot snapshot, long bytesMax) {
        byte @Nullable [] lower = bound(request.getStartKey());
        byte @Nullable [] upper = bound(request.getEndKey());
        if (lower != null && upper != null && Arrays.compareUnsigned(lower, upper) >= 0) {
            return ScanLockResponse.getDefaultInstance();
        }
        long limit =
                request.getLimit() == 0
                        ? Long.MAX_VALUE
                        : Integer.toUnsignedLong(request.getLimit());
        ScanLockResponse.Builder response = ScanLockResponse.newBuilder();
        ResponseSize size = new ResponseSize(bytesMax);
        try (KvIterator locks = snapshot.iterator(Cf.LOCK, lower, upper)) {
            locks.seekToFirst();
            while (locks.isValid() && response.getLocksCount() < limit) {
                LockRecord lock = LockCodec.decode(locks.value());
                if (Ts.atMost(lock.startTs(), request.getMaxVersion())) {
                    ByteString key = TxnKey.ofEncoded(locks.key()).raw();
                    LockInfo info = KeyErrors.lockInfo(key, lock);
                    size.add(info.getSerializedSize());
                    response.addLocks(info);
                }
                locks.next();
            }
        } catch (TxnException e) {
            return ScanLockResponse.newBuilder().setError(KeyErrors.of(e.error())).build();
        }
        return response.build();
    }

    /**
     * Up to {@code limit} keys behind {@code after} (null: from the start) whose lock is not
     * pessimistic and belongs to one of the transactions.
     */
    public static List<TxnKey> find(
            KvSnapshot snapshot, @Nullable TxnKey after, Set<Long> startTs, int limit) {
        return find(
                snapshot,
                after,
                lock -> !lock.isPessimistic() && startTs.contains(lock.startTs()),
                limit);
    }

    private static List<TxnKey> find(
            KvSnapshot snapshot, @Nullable TxnKey after, Predicate<LockRecord> wanted, int limit) {
        byte @Nullable [] lower =
                after == null ? null : Arrays.copyOf(after.encoded(), after.encoded().length + 1);
        List<TxnKey> keys = new ArrayList<>();
        try (KvIterator locks = snapshot.iterator(Cf.LOCK, lower, null)) {
            for (locks.seekToFirst(); locks.isValid() && keys.size() < limit; locks.next()) {
                LockRecord lock = LockCodec.decode(locks.value());
                if (wanted.test(lock)) {
                    keys.add(TxnKey.ofEncoded(locks.key()));
                }
            }
        }
        return keys;
    }

    /** As {@link #find}, the pessimistic locks of one transaction. */
    public static List<TxnKey> findPessimistic(
            KvSnapshot snapshot, @Nullable TxnKey after, long startTs, int limit) {
        return find(
                snapshot, after, lock -> lock.isPessimistic() && lock.startTs() == startTs, limit);
    }

    private static byte @Nullable [] bound(ByteString key) {
        return key.isEmpty() ? null : TxnKey.of(key).encoded();
    }
}
