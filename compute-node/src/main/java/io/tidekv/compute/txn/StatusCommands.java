package io.tidekv.compute.txn;

import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.txn.TxnActions.WhenMissing;
import io.tidekv.proto.kvrpcpb.Action;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatRequest;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatResponse;

/**
 * Asking about a transaction at its primary key, and keeping it alive. Source: tikv {@code
 * src/storage/txn/actions/check_txn_status.rs}.
 */
public final class StatusCommands {
    private StatusCommands() {}

    public static Outcome<CheckTxnStatusResponse> check(
            CheckTxnStatusRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        CheckTxnStatusResponse.Builder response = CheckTxnStatusResponse.newBuilder();
        try (TxnActions txn = new TxnActions(snapshot, request.getLockTs())) {
            TxnKey key = TxnKeys.checked(request.getPrimaryKey(), bounds);
            LockRecord lock = txn.reader.lock(key);
            TxnStatus status =
                    lock != null && lock.startTs() == request.getLockTs()
                            ? locked(request, txn, key, lock)
                            : txn.missing(
                                    key,
                                    lock,
                                    whenMissing(request),
                                    request.getResolvingPessimisticLock());
            describe(status, response);
            return Outcome.of(response.build(), txn.writer);
        } catch (TxnException e) {
            return Outcome.of(response.setError(KeyErrors.of(e.error())).build());
        }
    }

    public static Outcome<TxnHeartBeatResponse> heartBeat(
            TxnHeartBeatRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        TxnHeartBeatResponse.Builder response = TxnHeartBeatResponse.newBuilder();
        try (TxnActions txn = new TxnActions(snapshot, request.getStartVersion())) {
            TxnKey key = TxnKeys.checked(request.getPrimaryLock(), bounds);
            LockRecord lock = txn.reader.lock(key);
            if (lock == null || lock.startTs() != request.getStartVersion()) {
                throw new TxnException(
                        new TxnError.TxnNotFound(request.getStartVersion(), key.raw()));
            }
            long ttl = Ts.max(lock.ttlMs(), request.getAdviseLockTtl());
            // Only flushed locks of large transactions are told of a higher minimum.
            long minCommitTs =
                    lock.generation() > 0
                            ? Ts.max(lock.minCommitTs(), request.getMinCommitTs())
                            : lock.minCommitTs();
            if (ttl != lock.ttlMs() || minCommitTs != lock.minCommitTs()) {
                txn.writer.putLock(
                        key, lock.toBuilder().ttlMs(ttl).minCommitTs(minCommitTs).build());
            }
            return Outcome.of(response.setLockTtl(ttl).build(), txn.writer);
        } catch (TxnException e) {
            return Outcome.of(response.setError(KeyErrors.of(e.error())).build());
        }
    }

    private static TxnStatus locked(
            CheckTxnStatusRequest request, TxnActions txn, TxnKey key, LockRecord lock) {
        if (request.getVerifyIsPrimary() && !lock.primary().equals(key.raw())) {
            if (lock.isPessimistic() && !request.getResolvingPessimisticLock()) {
                return txn.missing(key, null, whenMissing(request), false);
            }
            throw new TxnException(new TxnError.PrimaryMismatch(key.raw(), lock));
        }
        if (lock.useAsyncCommit() && !request.getForceSyncCommit()) {
            return new TxnStatus.Uncommitted(lock, false);
        }
        long expiry = Ts.expiry(lock.startTs(), lock.ttlMs());
        if (Ts.less(expiry, Ts.physical(request.getCurrentTs()))) {
            if (request.getResolvingPessimisticLock() && lock.isPessimistic()) {
                txn.writer.deleteLock(key, lock, 0);
                return new TxnStatus.ExpiredPessimisticRollback();
            }
            TxnStatus status = txn.rollbackLock(key, lock, true);
            return status instanceof TxnStatus.RolledBack
                    ? new TxnStatus.ExpiredRollback()
                    : status;
        }
        return push(request, txn, key, lock);
    }

    /** Lets a reader pass a living lock, where its transaction keeps a minimum commit timestamp. */
    private static TxnStatus push(
            CheckTxnStatusRequest request, TxnActions txn, TxnKey key, LockRecord lock) {
        long caller = request.getCallerStartTs();
        LockRecord now = lock;
        if (lock.minCommitTs() != 0 && caller != Ts.MAX && Ts.atMost(lock.minCommitTs(), caller)) {
            long pushed = Ts.max(caller + 1, request.getCurrentTs());
            now = lock.toBuilder().minCommitTs(pushed).build();
            txn.writer.putLock(key, now);
        }
        // A read at the maximum passes the primary's lock in any case.
        boolean passes = caller == Ts.MAX || (caller != 0 && Ts.less(caller, now.minCommitTs()));
        return new TxnStatus.Uncommitted(now, passes);
    }

    private static WhenMissing whenMissing(CheckTxnStatusRequest request) {
        return request.getRollbackIfNotExist() ? WhenMissing.ROLL_BACK_PROTECTED : WhenMissing.FAIL;
    }

    private static void describe(TxnStatus status, CheckTxnStatusResponse.Builder response) {
        if (status instanceof TxnStatus.Committed committed) {
            response.setCommitVersion(committed.commitTs());
        } else if (status instanceof TxnStatus.ExpiredRollback) {
            response.setAction(Action.TTLExpireRollback);
        } else if (status instanceof TxnStatus.ExpiredPessimisticRollback) {
            response.setAction(Action.TTLExpirePessimisticRollback);
        } else if (status instanceof TxnStatus.MissingRollback) {
            response.setAction(Action.LockNotExistRollback);
        } else if (status instanceof TxnStatus.MissingIgnored) {
            response.setAction(Action.LockNotExistDoNothing);
        } else if (status instanceof TxnStatus.Uncommitted uncommitted) {
            LockRecord lock = uncommitted.lock();
            response.setLockTtl(lock.ttlMs()).setLockInfo(KeyErrors.lockInfo(lock.primary(), lock));
            if (uncommitted.pushed()) {
                response.setAction(Action.MinCommitTSPushed);
            }
        }
    }
}
