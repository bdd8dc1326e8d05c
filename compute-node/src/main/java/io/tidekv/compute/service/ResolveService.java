package io.tidekv.compute.service;

import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.region.Access;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.LockScan;
import io.tidekv.compute.txn.MvccInspect;
import io.tidekv.compute.txn.ResolveCommands;
import io.tidekv.compute.txn.SecondaryLocks;
import io.tidekv.compute.txn.StatusCommands;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.BatchRollbackResponse;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksRequest;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksResponse;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CleanupRequest;
import io.tidekv.proto.kvrpcpb.CleanupResponse;
import io.tidekv.proto.kvrpcpb.MvccGetByKeyRequest;
import io.tidekv.proto.kvrpcpb.MvccGetByKeyResponse;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsRequest;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsResponse;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockResponse;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.ScanLockResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Requests about locks that others may have left, and what became of their transactions.
 * Thread-safe.
 */
public final class ResolveService {
    private static final int LOCKS_AT_ONCE = 256;

    private final Runner runner;
    private final KvSettings settings;
    private final ApiChecks api;
    private final Concurrency concurrency;
    private final TsLimit limit;

    ResolveService(
            Runner runner,
            KvSettings settings,
            ApiChecks api,
            Concurrency concurrency,
            TsLimit limit) {
        this.runner = runner;
        this.settings = settings;
        this.api = api;
        this.concurrency = concurrency;
        this.limit = limit;
    }

    public CompletableFuture<BatchRollbackResponse> batchRollback(BatchRollbackRequest request) {
        return runner.write(
                request.getContext(),
                TxnKey.encodeAll(request.getKeysList()),
                (target, view) -> ResolveCommands.batchRollback(request, target.bounds(), view));
    }

    public CompletableFuture<CleanupResponse> cleanup(CleanupRequest request) {
        return runner.write(
                request.getContext(),
                TxnKey.encodeAll(List.of(request.getKey())),
                (target, view) -> ResolveCommands.cleanup(request, target.bounds(), view));
    }

    public CompletableFuture<CheckTxnStatusResponse> checkTxnStatus(CheckTxnStatusRequest request) {
        return limit.check(
                newest(request),
                () -> checkTxnStatusNow(request),
                error -> CheckTxnStatusResponse.newBuilder().setError(error).build());
    }

    private CompletableFuture<CheckTxnStatusResponse> checkTxnStatusNow(
            CheckTxnStatusRequest request) {
        concurrency.raise(request.getLockTs());
        concurrency.raise(request.getCurrentTs());
        concurrency.raise(request.getCallerStartTs());
        return runner.write(
                request.getContext(),
                TxnKey.encodeAll(List.of(request.getPrimaryKey())),
                (target, view) -> StatusCommands.check(request, target.bounds(), view));
    }

    public CompletableFuture<CheckSecondaryLocksResponse> checkSecondaryLocks(
            CheckSecondaryLocksRequest request) {
        return limit.check(
                request.getStartVersion(),
                () -> checkSecondaryLocksNow(request),
                error -> CheckSecondaryLocksResponse.newBuilder().setError(error).build());
    }

    private CompletableFuture<CheckSecondaryLocksResponse> checkSecondaryLocksNow(
            CheckSecondaryLocksRequest request) {
        return runner.write(
                request.getContext(),
                TxnKey.encodeAll(request.getKeysList()),
                (target, view) ->
                        SecondaryLocks.check(request, target.bounds(), view, concurrency));
    }

    public CompletableFuture<ScanLockResponse> scanLock(ScanLockRequest request) {
        return limit.check(
                request.getMaxVersion(),
                () -> scanLockNow(request),
                error -> ScanLockResponse.newBuilder().setError(error).build());
    }

    private CompletableFuture<ScanLockResponse> scanLockNow(ScanLockRequest request) {
        String refusal =
                api.refuseTxnRange(
                        request.getContext(), request.getStartKey(), request.getEndKey());
        if (refusal != null) {
            return done(ScanLockResponse.newBuilder().setError(KeyErrors.abort(refusal)).build());
        }
        TxnError.Locked blocked =
                concurrency.lockedIn(
                        TxnKey.of(request.getStartKey()).encoded(),
                        request.getEndKey().isEmpty()
                                ? null
                                : TxnKey.of(request.getEndKey()).encoded(),
                        request.getMaxVersion());
        if (blocked != null) {
            return done(ScanLockResponse.newBuilder().setError(KeyErrors.of(blocked)).build());
        }
        return runner.read(
                request.getContext(),
                Access.readAt(request.getMaxVersion()),
                Cost.RANGE,
                (target, view) -> {
                    if (!request.getStartKey().isEmpty()) {
                        RequestChecks.checkStart(
                                target, TxnKey.of(request.getStartKey()).encoded());
                    }
                    return LockScan.scan(request, view, settings.responseBytes());
                });
    }

    /** Either the keys that the request names, or all locks of its transactions in the region. */
    public CompletableFuture<ResolveLockResponse> resolveLock(ResolveLockRequest request) {
        if (ResolveCommands.namesKeys(request)) {
            return runner.write(
                    request.getContext(),
                    TxnKey.encodeAll(request.getKeysList()),
                    (target, view) -> ResolveCommands.resolveKeys(request, target.bounds(), view));
        }
        return resolveFrom(request, ResolveCommands.transactions(request), null);
    }

    private CompletableFuture<ResolveLockResponse> resolveFrom(
            ResolveLockRequest request, Map<Long, Long> transactions, @Nullable TxnKey after) {
        CompletableFuture<List<TxnKey>> found =
                runner.read(
                        request.getContext(),
                        Cost.RANGE,
                        (target, view) ->
                                LockScan.find(view, after, transactions.keySet(), LOCKS_AT_ONCE));
        return found.thenCompose(
                keys -> {
                    if (keys.isEmpty()) {
                        return done(ResolveLockResponse.getDefaultInstance());
                    }
                    CompletableFuture<ResolveLockResponse> resolved =
                            runner.write(
                                    request.getContext(),
                                    keys.stream().map(TxnKey::encoded).toList(),
                                    (target, view) ->
                                            ResolveCommands.resolveFound(keys, transactions, view));
                    return resolved.thenCompose(
                            response ->
                                    response.hasError() || keys.size() < LOCKS_AT_ONCE
                                            ? done(response)
                                            : resolveFrom(
                                                    request,
                                                    transactions,
                                                    keys.get(keys.size() - 1)));
                });
    }

    public CompletableFuture<MvccGetByKeyResponse> mvccGetByKey(MvccGetByKeyRequest request) {
        TxnKey key = TxnKey.of(request.getKey());
        return runner.read(
                request.getContext(),
                Cost.RANGE,
                (target, view) -> {
                    RequestChecks.checkStart(target, key.encoded());
                    return MvccGetByKeyResponse.newBuilder()
                            .setInfo(MvccInspect.inspect(key, view))
                            .build();
                });
    }

    /** Looks through the whole region. */
    public CompletableFuture<MvccGetByStartTsResponse> mvccGetByStartTs(
            MvccGetByStartTsRequest request) {
        return runner.read(
                request.getContext(),
                Cost.RANGE,
                (target, view) -> {
                    TxnKey key = MvccInspect.find(view, request.getStartTs());
                    return key == null
                            ? MvccGetByStartTsResponse.getDefaultInstance()
                            : MvccGetByStartTsResponse.newBuilder()
                                    .setKey(key.raw())
                                    .setInfo(MvccInspect.inspect(key, view))
                                    .build();
                });
    }

    /** The highest of its timestamps; the maximum stands for no time. */
    private static long newest(CheckTxnStatusRequest request) {
        long caller = request.getCallerStartTs();
        long others = Ts.max(request.getLockTs(), request.getCurrentTs());
        return caller == Ts.MAX ? others : Ts.max(caller, others);
    }

    private static <R> CompletableFuture<R> done(R response) {
        return CompletableFuture.completedFuture(response);
    }
}
