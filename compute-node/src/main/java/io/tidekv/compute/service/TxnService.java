package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.ReadPolicy;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.compute.txn.FlushCommand;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.LockScan;
import io.tidekv.compute.txn.MvccInspect;
import io.tidekv.compute.txn.PrewriteCommand;
import io.tidekv.compute.txn.ReadCommands;
import io.tidekv.compute.txn.ResolveCommands;
import io.tidekv.compute.txn.SecondaryLocks;
import io.tidekv.compute.txn.StatusCommands;
import io.tidekv.proto.kvrpcpb.BatchGetRequest;
import io.tidekv.proto.kvrpcpb.BatchGetResponse;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.BatchRollbackResponse;
import io.tidekv.proto.kvrpcpb.BufferBatchGetRequest;
import io.tidekv.proto.kvrpcpb.BufferBatchGetResponse;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksRequest;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksResponse;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CleanupRequest;
import io.tidekv.proto.kvrpcpb.CleanupResponse;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.DeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.DeleteRangeResponse;
import io.tidekv.proto.kvrpcpb.FlushRequest;
import io.tidekv.proto.kvrpcpb.FlushResponse;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.MvccGetByKeyRequest;
import io.tidekv.proto.kvrpcpb.MvccGetByKeyResponse;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsRequest;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsResponse;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockResponse;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.ScanLockResponse;
import io.tidekv.proto.kvrpcpb.ScanRequest;
import io.tidekv.proto.kvrpcpb.ScanResponse;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatRequest;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatResponse;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Transactional requests. Thread-safe. */
public final class TxnService {
    private static final int POINTS_MAX = 16;
    private static final int LOCKS_AT_ONCE = 256;

    private final Runner runner;
    private final RangeDeletes deletes;
    private final KvSettings settings;
    private final ApiChecks api;
    private final Concurrency concurrency;
    private final MaxTsSync maxTs;
    private final TsLimit limit;

    TxnService(
            Runner runner,
            RangeDeletes deletes,
            KvSettings settings,
            ApiChecks api,
            Concurrency concurrency,
            MaxTsSync maxTs,
            TsLimit limit) {
        this.runner = runner;
        this.deletes = deletes;
        this.settings = settings;
        this.api = api;
        this.concurrency = concurrency;
        this.maxTs = maxTs;
        this.limit = limit;
    }

    public CompletableFuture<GetResponse> get(GetRequest request) {
        return limit.check(
                request.getVersion(),
                () -> getNow(request),
                error -> GetResponse.newBuilder().setError(error).build());
    }

    private CompletableFuture<GetResponse> getNow(GetRequest request) {
        String refusal = api.refuseTxn(request.getContext(), List.of(request.getKey()));
        if (refusal != null) {
            return done(GetResponse.newBuilder().setError(KeyErrors.abort(refusal)).build());
        }
        KeyError blocked =
                blocked(List.of(request.getKey()), request.getContext(), request.getVersion());
        if (blocked != null) {
            return done(GetResponse.newBuilder().setError(blocked).build());
        }
        return runner.read(
                request.getContext(),
                Cost.POINT,
                (target, view) -> ReadCommands.get(request, target.bounds(), view));
    }

    public CompletableFuture<BatchGetResponse> batchGet(BatchGetRequest request) {
        return limit.check(
                request.getVersion(),
                () -> batchGetNow(request),
                error -> BatchGetResponse.newBuilder().setError(error).build());
    }

    private CompletableFuture<BatchGetResponse> batchGetNow(BatchGetRequest request) {
        String refusal = api.refuseTxn(request.getContext(), request.getKeysList());
        KeyError error =
                refusal != null
                        ? KeyErrors.abort(refusal)
                        : blocked(
                                request.getKeysList(), request.getContext(), request.getVersion());
        if (error != null) {
            return done(
                    BatchGetResponse.newBuilder()
                            .setError(error)
                            .addPairs(KvPair.newBuilder().setError(error))
                            .build());
        }
        return runner.read(
                request.getContext(),
                request.getKeysCount() <= POINTS_MAX ? Cost.POINT : Cost.RANGE,
                (target, view) ->
                        ReadCommands.batchGet(
                                request, target.bounds(), view, settings.responseBytes()));
    }

    public CompletableFuture<ScanResponse> scan(ScanRequest request) {
        return limit.check(
                request.getVersion(),
                () -> scanNow(request),
                error -> ScanResponse.newBuilder().setError(error).build());
    }

    private CompletableFuture<ScanResponse> scanNow(ScanRequest request) {
        String refusal =
                api.refuseTxnRange(
                        request.getContext(), request.getStartKey(), request.getEndKey());
        KeyError error = refusal != null ? KeyErrors.abort(refusal) : blocked(request);
        if (error != null) {
            return done(
                    ScanResponse.newBuilder()
                            .setError(error)
                            .addPairs(KvPair.newBuilder().setError(error))
                            .build());
        }
        return runner.read(
                request.getContext(),
                Cost.RANGE,
                (target, view) ->
                        ReadCommands.scan(
                                request, target.bounds(), view, settings.responseBytes()));
    }

    /** Fails with {@link UnsupportedException} for forms that are not served. */
    public CompletableFuture<PrewriteResponse> prewrite(PrewriteRequest request) {
        String unsupported = PrewriteCommand.unsupported(request);
        if (unsupported != null) {
            return CompletableFuture.failedFuture(new UnsupportedException(unsupported));
        }
        String refusal = refuseKeys(request.getContext(), request.getMutationsList());
        if (refusal != null) {
            return done(PrewriteResponse.newBuilder().addErrors(KeyErrors.abort(refusal)).build());
        }
        return limit.check(
                raisesMaxTs(request) ? request.getStartVersion() : 0,
                () -> prewriteTimed(request),
                error -> PrewriteResponse.newBuilder().addErrors(error).build());
    }

    private static boolean raisesMaxTs(PrewriteRequest request) {
        return request.getUseAsyncCommit()
                || request.getTryOnePc()
                || request.getMutationsList().stream()
                        .anyMatch(
                                each ->
                                        each.getOp() == Op.Insert
                                                || each.getOp() == Op.CheckNotExists);
    }

    private CompletableFuture<PrewriteResponse> prewriteTimed(PrewriteRequest request) {
        if (!request.getUseAsyncCommit() && !request.getTryOnePc()) {
            return prewriteNow(request);
        }
        try {
            Target target = runner.checks().check(request.getContext());
            return maxTs.ready(target.region()).thenCompose(raised -> prewriteNow(request));
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<PrewriteResponse> prewriteNow(PrewriteRequest request) {
        boolean choosesTs = request.getUseAsyncCommit() || request.getTryOnePc();
        List<ByteString> keys = request.getMutationsList().stream().map(Mutation::getKey).toList();
        return runner.write(
                request.getContext(),
                latches(keys),
                (target, view) -> {
                    if (choosesTs && !maxTs.isReady(target.region())) {
                        throw MaxTsSync.notSynced();
                    }
                    return PrewriteCommand.run(request, target.bounds(), view, concurrency);
                });
    }

    /** Why a read of keys must wait; null when it may go on, which later writers then know of. */
    private @Nullable KeyError blocked(List<ByteString> keys, Context context, long ts) {
        ReadPolicy policy = ReadCommands.policy(context, ts);
        try {
            concurrency.beginRead(keys, policy);
            return null;
        } catch (TxnException e) {
            return KeyErrors.of(e.error());
        }
    }

    private @Nullable KeyError blocked(ScanRequest request) {
        byte[] start = TxnKey.of(request.getStartKey()).encoded();
        byte @Nullable [] end =
                request.getEndKey().isEmpty() ? null : TxnKey.of(request.getEndKey()).encoded();
        boolean reverse = request.getReverse();
        try {
            concurrency.beginRead(
                    reverse ? end : start,
                    reverse ? start : end,
                    ReadCommands.policy(request.getContext(), request.getVersion()));
            return null;
        } catch (TxnException e) {
            return KeyErrors.of(e.error());
        }
    }

    private @Nullable String refuseKeys(Context context, List<Mutation> mutations) {
        String refusal = api.refuseTxn(context, mutations.stream().map(Mutation::getKey).toList());
        for (Mutation mutation : mutations) {
            if (refusal == null) {
                refusal = ApiChecks.refuseKeySize(mutation.getKey().size());
            }
        }
        return refusal;
    }

    public CompletableFuture<CommitResponse> commit(CommitRequest request) {
        return runner.write(
                request.getContext(),
                latches(request.getKeysList()),
                (target, view) -> ResolveCommands.commit(request, target.bounds(), view));
    }

    public CompletableFuture<BatchRollbackResponse> batchRollback(BatchRollbackRequest request) {
        return runner.write(
                request.getContext(),
                latches(request.getKeysList()),
                (target, view) -> ResolveCommands.batchRollback(request, target.bounds(), view));
    }

    public CompletableFuture<CleanupResponse> cleanup(CleanupRequest request) {
        return runner.write(
                request.getContext(),
                latches(List.of(request.getKey())),
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
                latches(List.of(request.getPrimaryKey())),
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
                latches(request.getKeysList()),
                (target, view) ->
                        SecondaryLocks.check(request, target.bounds(), view, concurrency));
    }

    public CompletableFuture<FlushResponse> flush(FlushRequest request) {
        return limit.check(
                request.getStartTs(),
                () -> flushNow(request),
                error -> FlushResponse.newBuilder().addErrors(error).build());
    }

    private CompletableFuture<FlushResponse> flushNow(FlushRequest request) {
        String refusal = refuseKeys(request.getContext(), request.getMutationsList());
        if (refusal != null) {
            return done(FlushResponse.newBuilder().addErrors(KeyErrors.abort(refusal)).build());
        }
        List<ByteString> keys = request.getMutationsList().stream().map(Mutation::getKey).toList();
        return runner.write(
                request.getContext(),
                latches(keys),
                (target, view) -> FlushCommand.run(request, target.bounds(), view, concurrency));
    }

    public CompletableFuture<BufferBatchGetResponse> bufferBatchGet(BufferBatchGetRequest request) {
        String refusal = api.refuseTxn(request.getContext());
        if (refusal != null) {
            return done(
                    BufferBatchGetResponse.newBuilder().setError(KeyErrors.abort(refusal)).build());
        }
        return runner.read(
                request.getContext(),
                request.getKeysCount() <= POINTS_MAX ? Cost.POINT : Cost.RANGE,
                (target, view) ->
                        FlushCommand.read(
                                request, target.bounds(), view, settings.responseBytes()));
    }

    public CompletableFuture<TxnHeartBeatResponse> heartBeat(TxnHeartBeatRequest request) {
        return runner.write(
                request.getContext(),
                latches(List.of(request.getPrimaryLock())),
                (target, view) -> StatusCommands.heartBeat(request, target.bounds(), view));
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
                    latches(request.getKeysList()),
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

    public CompletableFuture<DeleteRangeResponse> deleteRange(DeleteRangeRequest request) {
        String refusal =
                api.refuseTxnRange(
                        request.getContext(), request.getStartKey(), request.getEndKey());
        if (refusal != null) {
            return done(DeleteRangeResponse.newBuilder().setError(refusal).build());
        }
        try {
            if (request.getNotifyOnly()) {
                runner.checks().check(request.getContext());
                return done(DeleteRangeResponse.getDefaultInstance());
            }
            ByteString end = request.getEndKey();
            return deletes.delete(
                            request.getContext(),
                            List.of(Cf.values()),
                            TxnKey.of(request.getStartKey()).encoded(),
                            end.isEmpty() ? new byte[0] : TxnKey.of(end).encoded())
                    .thenApply(ignored -> DeleteRangeResponse.getDefaultInstance());
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
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

    private static Collection<byte[]> latches(List<ByteString> keys) {
        return keys.stream().map(key -> TxnKey.of(key).encoded()).toList();
    }

    private static <R> CompletableFuture<R> done(R response) {
        return CompletableFuture.completedFuture(response);
    }
}
