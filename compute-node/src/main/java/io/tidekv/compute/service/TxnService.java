package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.compute.txn.FlushCommand;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.PrewriteCommand;
import io.tidekv.compute.txn.ResolveCommands;
import io.tidekv.compute.txn.StatusCommands;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.DeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.DeleteRangeResponse;
import io.tidekv.proto.kvrpcpb.FlushRequest;
import io.tidekv.proto.kvrpcpb.FlushResponse;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatRequest;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Writes of transactional data. Thread-safe. */
public final class TxnService {
    private final Runner runner;
    private final RangeDeletes deletes;
    private final ApiChecks api;
    private final Concurrency concurrency;
    private final MaxTsSync maxTs;
    private final TsLimit limit;

    TxnService(
            Runner runner,
            RangeDeletes deletes,
            ApiChecks api,
            Concurrency concurrency,
            MaxTsSync maxTs,
            TsLimit limit) {
        this.runner = runner;
        this.deletes = deletes;
        this.api = api;
        this.concurrency = concurrency;
        this.maxTs = maxTs;
        this.limit = limit;
    }

    public CompletableFuture<PrewriteResponse> prewrite(PrewriteRequest request) {
        String refusal = PrewriteCommand.unsupported(request);
        if (refusal == null) {
            refusal = refuseKeys(request.getContext(), request.getMutationsList());
        }
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
                TxnKey.encodeAll(keys),
                (target, view) -> {
                    if (choosesTs && !maxTs.isReady(target.region())) {
                        throw MaxTsSync.notSynced();
                    }
                    return PrewriteCommand.run(request, target.bounds(), view, concurrency);
                });
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
                TxnKey.encodeAll(keys),
                (target, view) -> FlushCommand.run(request, target.bounds(), view, concurrency));
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
                TxnKey.encodeAll(request.getKeysList()),
                (target, view) -> ResolveCommands.commit(request, target.bounds(), view));
    }

    public CompletableFuture<TxnHeartBeatResponse> heartBeat(TxnHeartBeatRequest request) {
        return runner.write(
                request.getContext(),
                TxnKey.encodeAll(List.of(request.getPrimaryLock())),
                (target, view) -> StatusCommands.heartBeat(request, target.bounds(), view));
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

    private static <R> CompletableFuture<R> done(R response) {
        return CompletableFuture.completedFuture(response);
    }
}
