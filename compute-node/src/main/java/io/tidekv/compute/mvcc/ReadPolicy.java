package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.TxnError.Conflict;
import java.util.Set;

/**
 * At which timestamp and how a read looks at locks.
 *
 * @param bypass start timestamps whose locks the reader knows to be of no concern
 * @param access start timestamps whose locks the reader knows to be committed at or below {@code
 *     ts}: their values are read from the locks
 */
public record ReadPolicy(long ts, Isolation isolation, Set<Long> bypass, Set<Long> access) {
    /** As in kvrpcpb.IsolationLevel. */
    public enum Isolation {
        /** Snapshot isolation: a lock below {@code ts} blocks. */
        SNAPSHOT,
        /** Locks are not looked at. */
        READ_COMMITTED,
        /** Anything newer than {@code ts} is a conflict. */
        CHECK_TS
    }

    public static ReadPolicy snapshot(long ts) {
        return new ReadPolicy(ts, Isolation.SNAPSHOT, Set.of(), Set.of());
    }

    /** True if locks matter at all. */
    public boolean seesLocks() {
        return isolation != Isolation.READ_COMMITTED;
    }

    /**
     * Decides about a lock on a key that is read: false to read the versions below it, true to read
     * the lock's own value; throws {@link TxnException} when it blocks the read.
     */
    public boolean readsThrough(ByteString key, LockRecord lock) {
        if (isolation == Isolation.READ_COMMITTED
                || lock.kind() == LockKind.LOCK
                || lock.isPessimistic()
                || bypass.contains(lock.startTs())) {
            return false;
        }
        if (isolation == Isolation.SNAPSHOT && !blocks(key, lock)) {
            return false;
        }
        if (access.contains(lock.startTs())) {
            return true;
        }
        throw new TxnException(
                isolation == Isolation.SNAPSHOT
                        ? new TxnError.Locked(key, lock)
                        : newerThanRead(lock.startTs(), 0, key, lock.primary()));
    }

    /** The error of a version or lock newer than a {@code CHECK_TS} read. */
    TxnError newerThanRead(long startTs, long commitTs, ByteString key, ByteString primary) {
        return new Conflict(ts, startTs, commitTs, key, primary, Conflict.Reason.RC_CHECK_TS);
    }

    private boolean blocks(ByteString key, LockRecord lock) {
        if (Ts.less(ts, lock.startTs()) || Ts.less(ts, lock.minCommitTs())) {
            return false;
        }
        // The newest data without the primary's own lock: it cannot have committed yet.
        return ts != Ts.MAX || lock.useAsyncCommit() || !lock.primary().equals(key);
    }
}
