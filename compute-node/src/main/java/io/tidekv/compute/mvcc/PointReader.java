package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.ReadPolicy.Isolation;
import org.jspecify.annotations.Nullable;

/** Gets of single keys under a {@link ReadPolicy}. One thread at a time. */
public final class PointReader implements AutoCloseable {
    private final MvccReader reader;
    private final ReadPolicy policy;
    private final boolean needCommitTs;

    /**
     * @param needCommitTs the caller wants commit timestamps; a lock has none, so that a committed
     *     lock cannot be read through
     */
    public PointReader(KvSnapshot snapshot, ReadPolicy policy, boolean needCommitTs) {
        reader = new MvccReader(snapshot);
        this.policy = policy;
        this.needCommitTs = needCommitTs;
    }

    /** A value and the timestamp of its commit, 0 when it comes from a lock. */
    public record Value(ByteString bytes, long commitTs) {}

    /** The value, or null when the key has none; throws {@link TxnException} when blocked. */
    public @Nullable Value get(TxnKey key) {
        if (policy.seesLocks()) {
            LockRecord lock = reader.lock(key);
            if (lock != null && policy.readsThrough(key.raw(), lock)) {
                if (needCommitTs) {
                    throw new TxnException(new TxnError.Locked(key.raw(), lock));
                }
                ByteString value = reader.value(key, lock);
                return value == null ? null : new Value(value, 0);
            }
        }
        if (policy.isolation() == Isolation.CHECK_TS) {
            Version newest = reader.newest(key, Ts.MAX);
            if (newest != null && Ts.less(policy.ts(), newest.commitTs())) {
                throw new TxnException(newer(policy, key, newest.commitTs()));
            }
        }
        Version version = reader.visible(key, policy.ts());
        return version == null
                ? null
                : new Value(reader.value(key, version.write()), version.commitTs());
    }

    /** TiKV names the stored key of the newer version here, not the user's key. */
    static TxnError newer(ReadPolicy policy, TxnKey key, long commitTs) {
        ByteString stored = UnsafeByteOperations.unsafeWrap(key.at(commitTs));
        return policy.newerThanRead(0, commitTs, stored, ByteString.EMPTY);
    }

    @Override
    public void close() {
        reader.close();
    }
}
