package io.tidekv.compute.mvcc;

import org.jspecify.annotations.Nullable;

/** What the commit records of a key say about one transaction. */
public sealed interface TxnTrace {
    /** Its own record: a commit or a rollback. */
    record Found(Version version) implements TxnTrace {
        public boolean isRollback() {
            return version.write().kind() == WriteKind.ROLLBACK;
        }
    }

    /** Another transaction's record at its start timestamp says that it was rolled back. */
    record OverlappedRollback() implements TxnTrace {}

    /**
     * Nothing.
     *
     * @param overlapped another transaction's record at this one's start timestamp
     * @param gcFence commit timestamp of the next newer change above it, 0 for none
     */
    record Missing(@Nullable Version overlapped, long gcFence) implements TxnTrace {}
}
