package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.ReadPolicy;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.region.Access;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.compute.txn.FlushCommand;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.ReadCommands;
import io.tidekv.proto.kvrpcpb.BatchGetRequest;
import io.tidekv.proto.kvrpcpb.BatchGetResponse;
import io.tidekv.proto.kvrpcpb.BufferBatchGetRequest;
import io.tidekv.proto.kvrpcpb.BufferBatchGetResponse;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.ScanRequest;
import io.tidekv.proto.kvrpcpb.ScanResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads of transactional data. Thread-safe. */
public final class TxnReadService {
    private static final int POINTS_MAX = 16;

    private final Runner runner;
    private final KvSettings settings;
    private final ApiChecks api;
    private final Concurrency concurrency;
    private final TsLimit limit;

    TxnReadService(
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
                Access.readAt(request.getVersion()),
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
                Access.readAt(request.getVersion()),
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
                Access.readAt(request.getVersion()),
                Cost.RANGE,
                (target, view) ->
                        ReadCommands.scan(
                                request, target.bounds(), view, settings.responseBytes()));
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

    public CompletableFuture<BufferBatchGetResponse> bufferBatchGet(BufferBatchGetRequest request) {
        String refusal = api.refuseTxn(request.getContext());
        if (refusal != null) {
            return done(
                    BufferBatchGetResponse.newBuilder().setError(KeyErrors.abort(refusal)).build());
        }
        return runner.read(
                request.getContext(),
                Access.readAt(request.getVersion()),
                request.getKeysCount() <= POINTS_MAX ? Cost.POINT : Cost.RANGE,
                (target, view) ->
                        FlushCommand.read(
                                request, target.bounds(), view, settings.responseBytes()));
    }

    private static <R> CompletableFuture<R> done(R response) {
        return CompletableFuture.completedFuture(response);
    }
}
