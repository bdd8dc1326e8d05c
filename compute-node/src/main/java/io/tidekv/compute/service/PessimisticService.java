package io.tidekv.compute.service;

import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnError.Conflict;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.service.LockWaits.End;
import io.tidekv.compute.service.LockWaits.Waiter;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.LockScan;
import io.tidekv.compute.txn.Outcome;
import io.tidekv.compute.txn.PessimisticLockCommand;
import io.tidekv.compute.txn.PessimisticLockCommand.Result;
import io.tidekv.compute.txn.PessimisticRollback;
import io.tidekv.compute.txn.Released;
import io.tidekv.proto.kvrpcpb.GetLockWaitInfoRequest;
import io.tidekv.proto.kvrpcpb.GetLockWaitInfoResponse;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Locking keys before they are written, and waiting for those that are locked. Thread-safe. */
public final class PessimisticService {
    private static final int LOCKS_AT_ONCE = 256;

    private final Runner runner;
    private final Concurrency concurrency;
    private final LockWaits waits;
    private final ApiChecks api;
    private final TsLimit limit;
    private final Clock clock;
    private final Duration waitMax;

    /** An attempt: its result, or whom to wait for. */
    private record Attempt(Result result, @Nullable Waiter waiter) {}

    PessimisticService(
            Runner runner,
            Concurrency concurrency,
            LockWaits waits,
            ApiChecks api,
            TsLimit limit,
            Clock clock,
            Duration waitMax) {
        this.runner = runner;
        this.concurrency = concurrency;
        this.waits = waits;
        this.api = api;
        this.limit = limit;
        this.clock = clock;
        this.waitMax = waitMax;
    }

    public CompletableFuture<PessimisticLockResponse> lock(PessimisticLockRequest request) {
        String refusal =
                api.refuseTxn(
                        request.getContext(),
                        request.getMutationsList().stream().map(Mutation::getKey).toList());
        if (refusal == null) {
            for (Mutation mutation : request.getMutationsList()) {
                String tooLong = ApiChecks.refuseKeySize(mutation.getKey().size());
                refusal = tooLong == null ? refusal : tooLong;
            }
        }
        if (refusal != null) {
            return CompletableFuture.completedFuture(
                    PessimisticLockResponse.newBuilder()
                            .addErrors(KeyErrors.abort(refusal))
                            .build());
        }
        return limit.check(
                Ts.max(request.getStartVersion(), request.getForUpdateTs()),
                () -> attempt(request, clock.monotonicNanos() + waitNanos(request), null),
                error -> PessimisticLockResponse.newBuilder().addErrors(error).build());
    }

    private long waitNanos(PessimisticLockRequest request) {
        long asked = request.getWaitTimeout();
        if (asked < 0) {
            return 0;
        }
        long most = waitMax.toNanos();
        return asked == 0 || asked >= waitMax.toMillis() ? most : asked * 1_000_000L;
    }

    /**
     * @param wokenBy the release that let a waiting request try again
     */
    private CompletableFuture<PessimisticLockResponse> attempt(
            PessimisticLockRequest request, long untilNanos, @Nullable Released wokenBy) {
        List<byte[]> keys =
                request.getMutationsList().stream()
                        .map(mutation -> TxnKey.of(mutation.getKey()).encoded())
                        .toList();
        CompletableFuture<Attempt> attempt =
                runner.write(
                        request.getContext(),
                        keys,
                        (target, view) ->
                                orWait(
                                        request,
                                        untilNanos,
                                        PessimisticLockCommand.run(
                                                request, target.bounds(), view, concurrency)));
        if (wokenBy != null) {
            attempt.whenComplete((done, error) -> passOn(request, wokenBy, done));
        }
        return attempt.thenCompose(
                done ->
                        done.waiter == null
                                ? CompletableFuture.completedFuture(done.result.response())
                                : done.waiter
                                        .end()
                                        .thenCompose(end -> after(request, untilNanos, end)));
    }

    private Outcome<Attempt> orWait(
            PessimisticLockRequest request, long untilNanos, Outcome<Result> outcome) {
        Result result = outcome.response();
        TxnError.Locked by = result.blockedBy();
        long left = untilNanos - clock.monotonicNanos();
        Waiter waiter = null;
        if (by != null && request.getWaitTimeout() >= 0 && left > 0) {
            waiter =
                    waits.enter(
                            by,
                            request.getStartVersion(),
                            PessimisticLockCommand.isForced(request),
                            request.getContext().getResourceGroupTag(),
                            Duration.ofNanos(left));
        }
        return new Outcome<>(
                new Attempt(result, waiter),
                outcome.batch(),
                outcome.released(),
                outcome.memoryLocks());
    }

    /** The others wait for the one who got the lock; when nobody did, it is their turn. */
    private void passOn(
            PessimisticLockRequest request, Released wokenBy, @Nullable Attempt attempt) {
        if (attempt != null && attempt.waiter != null) {
            return;
        }
        boolean locked = attempt != null && attempt.result.response().getErrorsCount() == 0;
        if (!locked) {
            waits.released(List.of(wokenBy));
        } else if (waits.isWaitedFor(wokenBy.key())) {
            LockRecord lock =
                    LockRecord.builder(
                                    LockKind.PESSIMISTIC,
                                    request.getPrimaryLock(),
                                    request.getStartVersion())
                            .ttlMs(request.getLockTtl())
                            .forUpdateTs(request.getForUpdateTs())
                            .minCommitTs(request.getMinCommitTs())
                            .build();
            waits.acquired(wokenBy.key(), lock);
        }
    }

    private CompletableFuture<PessimisticLockResponse> after(
            PessimisticLockRequest request, long untilNanos, End end) {
        if (end instanceof End.Circle circle) {
            return CompletableFuture.completedFuture(
                    PessimisticLockResponse.newBuilder()
                            .addErrors(KeyErrors.deadlock(circle.waits()))
                            .build());
        }
        if (end instanceof End.Woken woken) {
            if (PessimisticLockCommand.isForced(request)) {
                return attempt(request, untilNanos, woken.by());
            }
            Conflict conflict =
                    new Conflict(
                            request.getStartVersion(),
                            woken.by().startTs(),
                            woken.by().commitTs(),
                            woken.by().key().raw(),
                            request.getPrimaryLock(),
                            Conflict.Reason.PESSIMISTIC_RETRY);
            return CompletableFuture.completedFuture(
                    PessimisticLockCommand.failed(request, conflict));
        }
        try {
            // The region may have moved: its new owner knows who holds the lock.
            runner.checks().check(request.getContext());
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
        return CompletableFuture.completedFuture(
                PessimisticLockCommand.failed(request, ((End.TimedOut) end).by()));
    }

    /** Gives up the keys that the request names, or all of the transaction in the region. */
    public CompletableFuture<PessimisticRollbackResponse> rollback(
            PessimisticRollbackRequest request) {
        String refusal = api.refuseTxn(request.getContext());
        if (refusal != null) {
            return CompletableFuture.completedFuture(
                    PessimisticRollbackResponse.newBuilder()
                            .addErrors(KeyErrors.abort(refusal))
                            .build());
        }
        if (request.getKeysCount() == 0) {
            return rollbackFrom(request, null);
        }
        return runner.write(
                request.getContext(),
                TxnKey.encodeAll(request.getKeysList()),
                (target, view) -> PessimisticRollback.run(request, target.bounds(), view));
    }

    private CompletableFuture<PessimisticRollbackResponse> rollbackFrom(
            PessimisticRollbackRequest request, @Nullable TxnKey after) {
        CompletableFuture<List<TxnKey>> found =
                runner.read(
                        request.getContext(),
                        Cost.RANGE,
                        (target, view) ->
                                LockScan.findPessimistic(
                                        view, after, request.getStartVersion(), LOCKS_AT_ONCE));
        return found.thenCompose(
                keys -> {
                    if (keys.isEmpty()) {
                        return CompletableFuture.completedFuture(
                                PessimisticRollbackResponse.getDefaultInstance());
                    }
                    CompletableFuture<PessimisticRollbackResponse> done =
                            runner.write(
                                    request.getContext(),
                                    keys.stream().map(TxnKey::encoded).toList(),
                                    (target, view) ->
                                            PessimisticRollback.found(request, keys, view));
                    return keys.size() < LOCKS_AT_ONCE
                            ? done
                            : done.thenCompose(
                                    response -> rollbackFrom(request, keys.get(keys.size() - 1)));
                });
    }

    public CompletableFuture<GetLockWaitInfoResponse> waits(GetLockWaitInfoRequest request) {
        return CompletableFuture.completedFuture(
                GetLockWaitInfoResponse.newBuilder().addAllEntries(waits.entries()).build());
    }
}
