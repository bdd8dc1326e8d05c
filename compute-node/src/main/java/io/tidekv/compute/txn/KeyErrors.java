package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.compute.deadlock.WaitEntries;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnError.Conflict;
import io.tidekv.proto.kvrpcpb.AlreadyExist;
import io.tidekv.proto.kvrpcpb.Assertion;
import io.tidekv.proto.kvrpcpb.AssertionFailed;
import io.tidekv.proto.kvrpcpb.CommitTsExpired;
import io.tidekv.proto.kvrpcpb.Deadlock;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrimaryMismatch;
import io.tidekv.proto.kvrpcpb.TxnLockNotFound;
import io.tidekv.proto.kvrpcpb.TxnNotFound;
import io.tidekv.proto.kvrpcpb.WriteConflict;
import java.util.List;

/**
 * The one mapping of {@link TxnError} to kvrpcpb.KeyError. Clients match on the typed members;
 * texts are for people. Source: tikv {@code src/storage/errors.rs}.
 */
public final class KeyErrors {
    private KeyErrors() {}

    public static KeyError of(TxnError error) {
        KeyError.Builder out = KeyError.newBuilder();
        if (error instanceof TxnError.Locked e) {
            LockInfo info = lockInfo(e.key(), e.lock());
            out.setLocked(e.hideTtl() ? info.toBuilder().setLockTtl(0).build() : info);
        } else if (error instanceof TxnError.Conflict e) {
            out.setConflict(conflict(e)).setRetryable("WriteConflict " + e.reason());
        } else if (error instanceof TxnError.AlreadyExist e) {
            out.setAlreadyExist(AlreadyExist.newBuilder().setKey(e.key()));
        } else if (error instanceof TxnError.LockNotFound e) {
            out.setTxnLockNotFound(TxnLockNotFound.newBuilder().setKey(e.key()))
                    .setRetryable("TxnLockNotFound of start ts " + unsigned(e.startTs()));
        } else if (error instanceof TxnError.Committed e) {
            out.setAbort("Committed at " + unsigned(e.commitTs()));
        } else if (error instanceof TxnError.CommitTsExpired e) {
            out.setCommitTsExpired(
                    CommitTsExpired.newBuilder()
                            .setStartTs(e.startTs())
                            .setAttemptedCommitTs(e.commitTs())
                            .setKey(e.key())
                            .setMinCommitTs(e.minCommitTs()));
        } else if (error instanceof TxnError.TxnNotFound e) {
            out.setTxnNotFound(
                    TxnNotFound.newBuilder().setStartTs(e.startTs()).setPrimaryKey(e.primary()));
        } else if (error instanceof TxnError.AssertionFailed e) {
            out.setAssertionFailed(assertion(e));
        } else if (error instanceof TxnError.PrimaryMismatch e) {
            out.setPrimaryMismatch(
                    PrimaryMismatch.newBuilder().setLockInfo(lockInfo(e.key(), e.lock())));
        } else if (error instanceof TxnError.PessimisticLockNotFound e) {
            out.setAbort("PessimisticLockNotFound of start ts " + unsigned(e.startTs()));
        } else if (error instanceof TxnError.Abort e) {
            out.setAbort(e.message());
        }
        return out.build();
    }

    public static KeyError abort(String message) {
        return KeyError.newBuilder().setAbort(message).build();
    }

    /** The error of a wait that would never end: all waits of the circle, its own last. */
    public static KeyError deadlock(List<Wait> circle) {
        Wait own = circle.get(circle.size() - 1);
        // The key that the holder's side waits for, which the own transaction has locked.
        Wait back = circle.get(Math.max(0, circle.size() - 2));
        Deadlock.Builder deadlock =
                Deadlock.newBuilder()
                        .setLockTs(own.holder())
                        .setLockKey(own.key())
                        .setDeadlockKeyHash(WaitEntries.hash(back.key()));
        circle.forEach(wait -> deadlock.addWaitChain(WaitEntries.entry(wait)));
        return KeyError.newBuilder().setDeadlock(deadlock).build();
    }

    /** A lock as clients are told of it. */
    public static LockInfo lockInfo(ByteString key, LockRecord lock) {
        return LockInfo.newBuilder()
                .setPrimaryLock(lock.primary())
                .setLockVersion(lock.startTs())
                .setKey(key)
                .setLockTtl(lock.ttlMs())
                .setTxnSize(lock.txnSize())
                .setLockType(op(lock.kind()))
                .setLockForUpdateTs(lock.forUpdateTs())
                .setUseAsyncCommit(lock.useAsyncCommit())
                .setMinCommitTs(lock.minCommitTs())
                .addAllSecondaries(lock.secondaries())
                .build();
    }

    static Op op(LockKind kind) {
        return switch (kind) {
            case PUT -> Op.Put;
            case DELETE -> Op.Del;
            case LOCK -> Op.Lock;
            case PESSIMISTIC -> Op.PessimisticLock;
        };
    }

    private static WriteConflict conflict(Conflict error) {
        return WriteConflict.newBuilder()
                .setStartTs(error.startTs())
                .setConflictTs(error.conflictStartTs())
                .setConflictCommitTs(error.conflictCommitTs())
                .setKey(error.key())
                .setPrimary(error.primary())
                .setReason(
                        switch (error.reason()) {
                            case OPTIMISTIC -> WriteConflict.Reason.Optimistic;
                            case SELF_ROLLED_BACK -> WriteConflict.Reason.SelfRolledBack;
                            case RC_CHECK_TS -> WriteConflict.Reason.RcCheckTs;
                            case PESSIMISTIC_RETRY -> WriteConflict.Reason.PessimisticRetry;
                            case LAZY_UNIQUENESS_CHECK -> WriteConflict.Reason.LazyUniquenessCheck;
                        })
                .build();
    }

    private static AssertionFailed assertion(TxnError.AssertionFailed error) {
        return AssertionFailed.newBuilder()
                .setStartTs(error.startTs())
                .setKey(error.key())
                .setAssertion(error.mustExist() ? Assertion.Exist : Assertion.NotExist)
                .setExistingStartTs(error.existingStartTs())
                .setExistingCommitTs(error.existingCommitTs())
                .build();
    }

    private static String unsigned(long ts) {
        return Long.toUnsignedString(ts);
    }
}
