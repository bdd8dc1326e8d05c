package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.LastChange;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnError.Conflict;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.TxnTrace;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest.PessimisticAction;
import org.jspecify.annotations.Nullable;

/**
 * Prewrites the keys of one request, one by one: checks what stands in the way, then makes the
 * lock. Throws {@link TxnException}. Source: tikv {@code src/storage/txn/actions/prewrite.rs}.
 */
final class PrewriteKey {
    /** Only exclusive locks are kept; a client must not take one for a shared one. */
    static final String NO_SHARED_LOCKS =
            "shared locks are not served: lock exclusively, as TiDB does while"
                    + " tidb_foreign_key_check_in_shared_lock is OFF";

    private final PrewriteRequest request;
    private final long startTs;
    private final long forUpdateTs;
    private final boolean pessimistic;
    private final MvccReader reader;
    private final MvccWriter writer;
    private final Concurrency concurrency;
    private final MemoryLocks memoryLocks;
    private final AssertionCheck assertions;

    PrewriteKey(
            PrewriteRequest request,
            MvccReader reader,
            MvccWriter writer,
            Concurrency concurrency,
            MemoryLocks memoryLocks) {
        this.request = request;
        startTs = request.getStartVersion();
        forUpdateTs = request.getForUpdateTs();
        pessimistic = forUpdateTs != 0;
        this.reader = reader;
        this.writer = writer;
        this.concurrency = concurrency;
        this.memoryLocks = memoryLocks;
        assertions = new AssertionCheck(request.getAssertionLevel(), startTs, reader);
    }

    /**
     * What became of a key.
     *
     * @param minCommitTs 0 when none was asked for, or when the request has to fall back
     * @param onePhase a lock that was not written because it is to be committed at once
     * @param wasLocked the key had a pessimistic lock
     * @param committedTs not 0: the transaction has committed before
     */
    record Result(
            long minCommitTs, @Nullable LockRecord onePhase, boolean wasLocked, long committedTs) {
        static Result at(long minCommitTs) {
            return new Result(minCommitTs, null, false, 0);
        }
    }

    Result prewrite(
            TxnKey key,
            Mutation mutation,
            PessimisticAction action,
            @Nullable Long expectedForUpdateTs,
            PrewriteMode mode) {
        boolean mustBeLocked = action == PessimisticAction.DO_PESSIMISTIC_CHECK;
        if (pessimistic && mutation.getOp() == Op.CheckNotExists) {
            throw TxnException.abort(
                    "a pessimistic transaction has no check that a key does not exist");
        }
        LockRecord own = ownLock(key, mustBeLocked, expectedForUpdateTs);
        if (own != null && !own.isPessimistic()) {
            return Result.at(own.useAsyncCommit() ? own.minCommitTs() : 0);
        }
        boolean check = pessimistic ? !mustBeLocked : !request.getSkipConstraintCheck();
        @Nullable Version newest = null;
        if (own == null && mustBeLocked) {
            newest = amend(key);
            assertions.check(key, mutation.getAssertion(), true, newest);
        } else {
            if (check) {
                newest = reader.newest(key, Ts.MAX);
                newest = pessimistic ? checkPessimistic(key, action, newest) : newest;
                checkNewest(key, mutation, newest);
            }
            assertions.check(key, mutation.getAssertion(), check, newest);
        }
        if (mutation.getOp() == Op.Insert || mutation.getOp() == Op.CheckNotExists) {
            concurrency.raise(startTs);
        }
        if (mutation.getOp() == Op.CheckNotExists) {
            return Result.at(mode.needsTs() ? Ts.max(request.getMinCommitTs(), startTs + 1) : 0);
        }
        if (pessimistic
                && own == null
                && reader.trace(key, startTs) instanceof TxnTrace.Found found
                && !found.isRollback()) {
            return new Result(0, null, false, found.version().commitTs());
        }
        LastChange lastChange =
                own != null
                        ? own.lastChange()
                        : check || mustBeLocked
                                ? LastChanges.below(reader, key, newest)
                                : LastChange.UNKNOWN;
        return write(key, mutation, mode, own, lastChange);
    }

    /** The transaction's own lock; throws when the key is locked by another one. */
    private @Nullable LockRecord ownLock(
            TxnKey key, boolean mustBeLocked, @Nullable Long expectedForUpdateTs) {
        LockRecord lock = reader.lock(key);
        if (lock == null) {
            return null;
        }
        if (lock.startTs() != startTs) {
            if (mustBeLocked) {
                throw new TxnException(new TxnError.PessimisticLockNotFound(startTs, key.raw()));
            }
            // Others' locks on keys that are never locked beforehand are resolved at once.
            throw new TxnException(new TxnError.Locked(key.raw(), lock, pessimistic));
        }
        if (lock.isPessimistic()) {
            if (!pessimistic) {
                throw TxnException.abort(
                        "the key has a pessimistic lock of this optimistic transaction");
            }
            if (expectedForUpdateTs != null && lock.forUpdateTs() != expectedForUpdateTs) {
                throw new TxnException(new TxnError.PessimisticLockNotFound(startTs, key.raw()));
            }
        }
        return lock;
    }

    /** A lost pessimistic lock does no harm when nothing has been committed since. */
    private @Nullable Version amend(TxnKey key) {
        Version newest = reader.newest(key, Ts.MAX);
        if (newest != null && Ts.atMost(startTs, newest.commitTs())) {
            throw new TxnException(new TxnError.PessimisticLockNotFound(startTs, key.raw()));
        }
        return newest;
    }

    /** The version that counts: rollbacks of others above {@code for_update_ts} do not. */
    private @Nullable Version checkPessimistic(
            TxnKey key, PessimisticAction action, @Nullable Version newest) {
        Version version = newest;
        while (version != null) {
            refuseOwnRollback(key, version);
            if (action == PessimisticAction.DO_CONSTRAINT_CHECK
                    && Ts.less(startTs, version.commitTs())) {
                throw conflict(key, version, Conflict.Reason.LAZY_UNIQUENESS_CHECK);
            }
            if (Ts.atMost(version.commitTs(), forUpdateTs)) {
                return version;
            }
            if (version.write().kind() != WriteKind.ROLLBACK) {
                throw new TxnException(new TxnError.PessimisticLockNotFound(startTs, key.raw()));
            }
            version = reader.newest(key, version.commitTs() - 1);
        }
        return null;
    }

    private void checkNewest(TxnKey key, Mutation mutation, @Nullable Version newest) {
        if (newest == null) {
            return;
        }
        if (!pessimistic) {
            refuseOwnRollback(key, newest);
            if (Ts.less(startTs, newest.commitTs())) {
                throw conflict(key, newest, Conflict.Reason.OPTIMISTIC);
            }
        }
        boolean mustBeAbsent =
                mutation.getOp() == Op.Insert || mutation.getOp() == Op.CheckNotExists;
        if (mustBeAbsent && reader.visible(key, Ts.MAX) != null) {
            throw new TxnException(new TxnError.AlreadyExist(key.raw()));
        }
    }

    private void refuseOwnRollback(TxnKey key, Version version) {
        boolean rolledBack =
                version.write().kind() == WriteKind.ROLLBACK
                        || version.write().overlappedRollback();
        if (version.commitTs() == startTs && rolledBack) {
            throw conflict(key, version, Conflict.Reason.SELF_ROLLED_BACK);
        }
    }

    private Result write(
            TxnKey key,
            Mutation mutation,
            PrewriteMode mode,
            @Nullable LockRecord own,
            LastChange lastChange) {
        LockKind kind =
                switch (mutation.getOp()) {
                    case Put, Insert -> LockKind.PUT;
                    case Del -> LockKind.DELETE;
                    case Lock -> LockKind.LOCK;
                    case SharedLock, SharedPessimisticLock ->
                            throw TxnException.abort(NO_SHARED_LOCKS);
                    default ->
                            throw TxnException.abort("an operation does not belong in a prewrite");
                };
        LockRecord.Builder lock =
                LockRecord.builder(kind, request.getPrimaryLock(), startTs)
                        .ttlMs(own == null ? request.getLockTtl() : ttl(own))
                        .txnSize(request.getTxnSize())
                        .forUpdateTs(
                                own == null ? forUpdateTs : Ts.max(forUpdateTs, own.forUpdateTs()))
                        .minCommitTs(minCommitTs(own))
                        .txnSource(request.getContext().getTxnSource());
        if (kind == LockKind.LOCK) {
            lock.lastChange(lastChange);
        }
        ByteString value = mutation.getValue();
        if (kind == LockKind.PUT && value.size() <= LockRecord.SHORT_VALUE_MAX) {
            lock.shortValue(value);
        } else if (kind == LockKind.PUT) {
            writer.putValue(key, startTs, value);
        }
        LockRecord twoPhases = lock.build();
        if (!mode.needsTs()) {
            writer.putLock(key, twoPhases);
            return Result.at(0);
        }
        LockRecord published = publish(key, mode, twoPhases);
        if (published == null) {
            writer.putLock(key, twoPhases);
            return Result.at(0);
        }
        if (mode == PrewriteMode.ONE_PHASE) {
            return new Result(published.minCommitTs(), published, own != null, 0);
        }
        writer.putLock(key, published);
        return Result.at(published.minCommitTs());
    }

    /** The lock with its timestamp, known to readers from now on; null when that is too high. */
    private @Nullable LockRecord publish(TxnKey key, PrewriteMode mode, LockRecord lock) {
        LockRecord.Builder timed = lock.toBuilder();
        if (request.getUseAsyncCommit()) {
            timed.asyncCommit(PrewriteCommand.secondaries(request, key));
        }
        return concurrency.publish(
                memoryLocks,
                key,
                mode == PrewriteMode.ONE_PHASE,
                maxTs -> {
                    long floor =
                            concurrency.rules().commitFloor(maxTs, startTs, lock.forUpdateTs());
                    long ts = Ts.max(lock.minCommitTs(), floor);
                    long limit = request.getMaxCommitTs();
                    return limit != 0 && Ts.less(limit, ts) ? null : timed.minCommitTs(ts).build();
                });
    }

    private long ttl(LockRecord own) {
        return Ts.max(request.getLockTtl(), own.ttlMs());
    }

    private long minCommitTs(@Nullable LockRecord own) {
        long asked = request.getMinCommitTs();
        return own == null ? asked : Ts.max(asked, own.minCommitTs());
    }

    private TxnException conflict(TxnKey key, Version with, Conflict.Reason reason) {
        return TxnException.conflict(startTs, with, key, request.getPrimaryLock(), reason);
    }
}
