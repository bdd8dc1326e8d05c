package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;

/**
 * Why the transaction layer refuses, as kvrpcpb.KeyError tells it. Each is an outcome that a client
 * knows how to act on; keys are as clients know them.
 */
public sealed interface TxnError {
    /** Another transaction holds the key. */
    record Locked(ByteString key, LockRecord lock, boolean hideTtl) implements TxnError {
        public Locked(ByteString key, LockRecord lock) {
            this(key, lock, false);
        }
    }

    /** A newer commit, or the own rollback, stands in the way. */
    record Conflict(
            long startTs,
            long conflictStartTs,
            long conflictCommitTs,
            ByteString key,
            ByteString primary,
            Reason reason)
            implements TxnError {
        /** As in kvrpcpb.WriteConflict.Reason. */
        public enum Reason {
            OPTIMISTIC,
            SELF_ROLLED_BACK,
            RC_CHECK_TS,
            PESSIMISTIC_RETRY,
            LAZY_UNIQUENESS_CHECK
        }
    }

    record AlreadyExist(ByteString key) implements TxnError {}

    /** The transaction has no lock on the key, and has not committed it. */
    record LockNotFound(long startTs, long commitTs, ByteString key) implements TxnError {}

    /** The transaction has committed the key, which was to be rolled back. */
    record Committed(long startTs, long commitTs, ByteString key) implements TxnError {}

    /** The lock does not allow so low a commit timestamp. */
    record CommitTsExpired(long startTs, long commitTs, ByteString key, long minCommitTs)
            implements TxnError {}

    /** Nothing is known of the transaction at its primary key. */
    record TxnNotFound(long startTs, ByteString primary) implements TxnError {}

    /** The existing timestamps are 0 when there is no version. */
    record AssertionFailed(
            long startTs,
            ByteString key,
            boolean mustExist,
            long existingStartTs,
            long existingCommitTs)
            implements TxnError {}

    /** The key is not the primary of the lock on it. */
    record PrimaryMismatch(ByteString key, LockRecord lock) implements TxnError {}

    /** A key that the transaction must have locked before is not locked, or was changed since. */
    record PessimisticLockNotFound(long startTs, ByteString key) implements TxnError {}

    /** The request cannot be carried out and repeating it does not help. Holds no user data. */
    record Abort(String message) implements TxnError {}
}
