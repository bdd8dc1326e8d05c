package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnError.Conflict;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.proto.kvrpcpb.Assertion;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticLockKeyResult;
import io.tidekv.proto.kvrpcpb.PessimisticLockKeyResultType;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import io.tidekv.proto.kvrpcpb.PessimisticLockWakeUpMode;
import org.jspecify.annotations.Nullable;

/**
 * Locks keys before they are written: all of a request or none. In the mode that forces the lock
 * (one key a request) a newer commit is no conflict: the lock is taken and the newest data
 * answered. Source: tikv {@code src/storage/txn/actions/acquire_pessimistic_lock.rs}.
 */
public final class PessimisticLockCommand implements AutoCloseable {
    private final PessimisticLockRequest request;
    private final KeyBounds bounds;
    private final Concurrency concurrency;
    private final MvccReader reader;
    private final MvccWriter writer = new MvccWriter();
    private final boolean force;

    /**
     * What the command comes to.
     *
     * @param blockedBy the lock in the way; the response says so, for those who do not wait
     */
    public record Result(PessimisticLockResponse response, TxnError.@Nullable Locked blockedBy) {}

    /** What a key holds, and the commit timestamp that it was locked in spite of. */
    private record Taken(boolean exists, @Nullable ByteString value, long conflictTs) {}

    private PessimisticLockCommand(
            PessimisticLockRequest request,
            KeyBounds bounds,
            KvSnapshot snapshot,
            Concurrency concurrency) {
        this.request = request;
        this.bounds = bounds;
        this.concurrency = concurrency;
        reader = new MvccReader(snapshot);
        force = isForced(request);
    }

    /** True if newer commits are no conflict. */
    public static boolean isForced(PessimisticLockRequest request) {
        return request.getWakeUpMode() == PessimisticLockWakeUpMode.WakeUpModeForceLock;
    }

    public static Outcome<Result> run(
            PessimisticLockRequest request,
            KeyBounds bounds,
            KvSnapshot snapshot,
            Concurrency concurrency) {
        try (PessimisticLockCommand command =
                new PessimisticLockCommand(request, bounds, snapshot, concurrency)) {
            return command.run();
        } catch (TxnException e) {
            boolean locked = e.error() instanceof TxnError.Locked;
            return Outcome.of(
                    new Result(
                            failed(request, e.error()),
                            locked ? (TxnError.Locked) e.error() : null));
        }
    }

    /** The answer to a request that failed with an error of its keys. */
    public static PessimisticLockResponse failed(PessimisticLockRequest request, TxnError error) {
        PessimisticLockResponse.Builder response =
                PessimisticLockResponse.newBuilder().addErrors(KeyErrors.of(error));
        if (isForced(request) && error instanceof TxnError.Locked) {
            response.addResults(
                    PessimisticLockKeyResult.newBuilder()
                            .setType(PessimisticLockKeyResultType.LockResultFailed));
        }
        return response.build();
    }

    private Outcome<Result> run() {
        checkForm();
        PessimisticLockResponse.Builder response = PessimisticLockResponse.newBuilder();
        for (Mutation mutation : request.getMutationsList()) {
            TxnKey key = TxnKeys.checked(mutation.getKey(), bounds);
            Taken taken = lock(key, mutation.getAssertion() == Assertion.NotExist);
            if (force) {
                response.addResults(result(taken));
                continue;
            }
            if (request.getReturnValues()) {
                response.addValues(taken.value == null ? ByteString.EMPTY : taken.value);
            }
            if (request.getReturnValues() || request.getCheckExistence()) {
                response.addNotFounds(!taken.exists);
            }
        }
        return Outcome.of(new Result(response.build(), null), writer);
    }

    private void checkForm() {
        if (force && request.getMutationsCount() != 1) {
            throw TxnException.abort("a request that forces its lock must have one key");
        }
        if (request.getLockOnlyIfExists() && !request.getReturnValues()) {
            throw TxnException.abort("lock_only_if_exists needs return_values");
        }
        for (Mutation mutation : request.getMutationsList()) {
            if (mutation.getOp() != Op.PessimisticLock) {
                throw TxnException.abort(
                        mutation.getOp() == Op.SharedPessimisticLock
                                ? PrewriteKey.NO_SHARED_LOCKS
                                : "only pessimistic locks can be asked for here");
            }
        }
    }

    private PessimisticLockKeyResult result(Taken taken) {
        PessimisticLockKeyResult.Builder result = PessimisticLockKeyResult.newBuilder();
        boolean conflict = taken.conflictTs != 0;
        if (conflict) {
            result.setType(PessimisticLockKeyResultType.LockResultLockedWithConflict)
                    .setLockedWithConflictTs(taken.conflictTs);
        }
        if ((conflict || request.getReturnValues()) && taken.value != null) {
            result.setValue(taken.value);
        }
        if (conflict || request.getReturnValues() || request.getCheckExistence()) {
            result.setExistence(taken.exists);
        }
        return result.build();
    }

    private Taken lock(TxnKey key, boolean mustBeAbsent) {
        if (mustBeAbsent || request.getReturnValues() || request.getCheckExistence()) {
            concurrency.raise(request.getForUpdateTs());
        }
        LockRecord lock = reader.lock(key);
        if (lock == null) {
            return lockFree(key, mustBeAbsent);
        }
        if (lock.startTs() != request.getStartVersion()) {
            throw new TxnException(new TxnError.Locked(key.raw(), lock));
        }
        if (!lock.isPessimistic()) {
            throw TxnException.abort("the transaction has prewritten this key before");
        }
        return lockAgain(key, lock);
    }

    private Taken lockAgain(TxnKey key, LockRecord lock) {
        long forUpdateTs = request.getForUpdateTs();
        boolean conflict = force && Ts.less(forUpdateTs, lock.forUpdateTs());
        long readTs = conflict ? lock.forUpdateTs() : forUpdateTs;
        Taken taken = read(key, reader.visible(key, readTs), conflict ? readTs : 0);
        if (Ts.less(lock.forUpdateTs(), forUpdateTs)) {
            writer.putLock(key, newLock(forUpdateTs).lastChange(lock.lastChange()).build());
        }
        return taken;
    }

    private Taken lockFree(TxnKey key, boolean mustBeAbsent) {
        Version newest = reader.newest(key, Ts.MAX);
        long forUpdateTs = request.getForUpdateTs();
        long conflictTs = 0;
        if (newest != null) {
            if (Ts.less(forUpdateTs, newest.commitTs())) {
                if (!force) {
                    throw conflict(key, newest);
                }
                conflictTs = newest.commitTs();
                forUpdateTs = conflictTs;
            }
            refuseRolledBack(key, newest);
        }
        Version visible = newest == null ? null : reader.visible(key, Ts.MAX);
        if (mustBeAbsent && conflictTs == 0 && visible != null) {
            throw new TxnException(new TxnError.AlreadyExist(key.raw()));
        }
        if (!request.getLockOnlyIfExists() || visible != null) {
            writer.putLock(
                    key,
                    newLock(forUpdateTs)
                            .lastChange(LastChanges.below(reader, key, newest))
                            .build());
        }
        return read(key, visible, conflictTs);
    }

    private Taken read(TxnKey key, @Nullable Version visible, long conflictTs) {
        boolean wanted = request.getReturnValues() || conflictTs != 0;
        return new Taken(
                visible != null,
                visible != null && wanted ? reader.value(key, visible.write()) : null,
                conflictTs);
    }

    private void refuseRolledBack(TxnKey key, Version newest) {
        long startTs = request.getStartVersion();
        Version at = Ts.less(startTs, newest.commitTs()) ? reader.newest(key, startTs) : newest;
        if (at != null
                && at.commitTs() == startTs
                && (at.write().kind() == WriteKind.ROLLBACK || at.write().overlappedRollback())) {
            throw TxnException.abort(
                    "the transaction has been rolled back: PessimisticLockRolledBack");
        }
    }

    private LockRecord.Builder newLock(long forUpdateTs) {
        return LockRecord.builder(
                        LockKind.PESSIMISTIC, request.getPrimaryLock(), request.getStartVersion())
                .ttlMs(request.getLockTtl())
                .forUpdateTs(forUpdateTs)
                .minCommitTs(request.getMinCommitTs());
    }

    private TxnException conflict(TxnKey key, Version with) {
        return TxnException.conflict(
                request.getStartVersion(),
                with,
                key,
                request.getPrimaryLock(),
                Conflict.Reason.PESSIMISTIC_RETRY);
    }

    @Override
    public void close() {
        reader.close();
    }
}
