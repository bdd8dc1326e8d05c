package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.raw.RawCommands;
import io.tidekv.compute.raw.RawException;
import io.tidekv.compute.raw.RawReader;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.raw.RawWrites;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteResponse;
import io.tidekv.proto.kvrpcpb.RawBatchGetRequest;
import io.tidekv.proto.kvrpcpb.RawBatchGetResponse;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutResponse;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawCASResponse;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteResponse;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLRequest;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLResponse;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** Raw requests on single keys and batches of keys. Thread-safe. */
public final class RawService {
    private static final int POINTS_MAX = 16;

    private final Runner runner;
    private final KvSettings settings;
    private final Clock clock;
    private final ApiChecks api;
    private final RawValues values;
    private final RawCommands reads;
    private final RawWrites writes;

    RawService(Runner runner, KvSettings settings, Clock clock) {
        this.runner = runner;
        this.settings = settings;
        this.clock = clock;
        api = new ApiChecks(settings.mode());
        values = new RawValues(settings.mode());
        reads = new RawCommands(values);
        writes = new RawWrites(values);
    }

    public CompletableFuture<RawGetResponse> get(RawGetRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    return runner.read(
                            request.getContext(),
                            Cost.POINT,
                            (target, view) ->
                                    reads.get(
                                            request,
                                            target.bounds(),
                                            new RawReader(view, values, nowSeconds())));
                },
                e -> RawGetResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawBatchGetResponse> batchGet(RawBatchGetRequest request) {
        Cost cost = request.getKeysCount() <= POINTS_MAX ? Cost.POINT : Cost.RANGE;
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    return runner.read(
                            request.getContext(),
                            cost,
                            (target, view) ->
                                    reads.batchGet(
                                            request,
                                            target.bounds(),
                                            new RawReader(view, values, nowSeconds()),
                                            settings.responseBytes()));
                },
                e -> RawBatchGetResponse.newBuilder().addPairs(RawCommands.failed(e)).build());
    }

    public CompletableFuture<RawGetKeyTTLResponse> ttl(RawGetKeyTTLRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    long now = nowSeconds();
                    return runner.read(
                            request.getContext(),
                            Cost.POINT,
                            (target, view) ->
                                    reads.ttl(
                                            request,
                                            target.bounds(),
                                            new RawReader(view, values, now),
                                            now));
                },
                e -> RawGetKeyTTLResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawPutResponse> put(RawPutRequest request) {
        List<ByteString> keys = List.of(request.getKey());
        return answer(
                () ->
                        blind(
                                request.getContext(),
                                keys,
                                request.getForCas(),
                                () -> writes.put(request, nowSeconds()),
                                RawPutResponse.getDefaultInstance()),
                e -> RawPutResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawBatchPutResponse> batchPut(RawBatchPutRequest request) {
        List<ByteString> keys = request.getPairsList().stream().map(KvPair::getKey).toList();
        return answer(
                () ->
                        blind(
                                request.getContext(),
                                keys,
                                request.getForCas(),
                                () -> writes.batchPut(request, nowSeconds()),
                                RawBatchPutResponse.getDefaultInstance()),
                e -> RawBatchPutResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawDeleteResponse> delete(RawDeleteRequest request) {
        List<ByteString> keys = List.of(request.getKey());
        return answer(
                () ->
                        blind(
                                request.getContext(),
                                keys,
                                request.getForCas(),
                                () -> writes.delete(request),
                                RawDeleteResponse.getDefaultInstance()),
                e -> RawDeleteResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawBatchDeleteResponse> batchDelete(RawBatchDeleteRequest request) {
        return answer(
                () ->
                        blind(
                                request.getContext(),
                                request.getKeysList(),
                                request.getForCas(),
                                () -> writes.batchDelete(request),
                                RawBatchDeleteResponse.getDefaultInstance()),
                e -> RawBatchDeleteResponse.newBuilder().setError(e.text()).build());
    }

    /** Atomic with other compare-and-swaps and with writers that set {@code for_cas}. */
    public CompletableFuture<RawCASResponse> compareAndSwap(RawCASRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext());
                    ApiChecks.checkRawKey(request.getKey());
                    long now = nowSeconds();
                    return runner.write(
                            request.getContext(),
                            List.of(request.getKey().toByteArray()),
                            (target, view) ->
                                    reads.compareAndSwap(
                                            request,
                                            target.bounds(),
                                            new RawReader(view, values, now),
                                            now));
                },
                e -> RawCASResponse.newBuilder().setError(e.text()).build());
    }

    private <R> CompletableFuture<R> blind(
            Context context,
            List<ByteString> keys,
            boolean forCas,
            Supplier<WriteBatchBuilder> batch,
            R response) {
        api.checkRaw(context);
        keys.forEach(ApiChecks::checkRawKey);
        WriteBatchBuilder built = batch.get();
        Collection<byte[]> latches =
                forCas ? keys.stream().map(ByteString::toByteArray).toList() : List.of();
        return runner.blindWrite(
                        context,
                        latches,
                        target -> {
                            keys.forEach(key -> RequestChecks.checkKey(target, key));
                            return built;
                        })
                .thenApply(done -> response);
    }

    private long nowSeconds() {
        return clock.wallMillis() / 1000;
    }

    /** Refusals become texts in the response, wherever they arise. */
    static <R> CompletableFuture<R> answer(
            Supplier<CompletableFuture<R>> work, Function<RawException, R> refusal) {
        try {
            return Futures.recover(work.get(), RawException.class, refusal);
        } catch (RawException e) {
            return CompletableFuture.completedFuture(refusal.apply(e));
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
