package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.raw.RawCommands;
import io.tidekv.compute.raw.RawException;
import io.tidekv.compute.raw.RawFormat;
import io.tidekv.compute.raw.RawReader;
import io.tidekv.compute.raw.RawWrites;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.Outcome;
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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/** Raw requests on single keys and batches of keys. Thread-safe. */
public final class RawService {
    private static final int POINTS_MAX = 16;

    private final Runner runner;
    private final KvSettings settings;
    private final CausalStamps stamps;
    private final ApiChecks api;
    private final RawFormat format;
    private final RawCommands reads;
    private final RawWrites writes;

    RawService(Runner runner, KvSettings settings, CausalStamps stamps) {
        this.runner = runner;
        this.settings = settings;
        this.stamps = stamps;
        api = new ApiChecks(settings.mode());
        format = new RawFormat(settings.mode());
        reads = new RawCommands(format);
        writes = new RawWrites(format);
    }

    public CompletableFuture<RawGetResponse> get(RawGetRequest request) {
        return answer(
                () -> {
                    Cf cf = checked(request.getContext(), request.getKey(), request.getCf());
                    return runner.read(
                            request.getContext(),
                            Cost.POINT,
                            (target, view) -> {
                                checkRead(target, request.getKey());
                                return reads.get(request, cf, reader(view));
                            });
                },
                e -> RawGetResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawBatchGetResponse> batchGet(RawBatchGetRequest request) {
        Cost cost = request.getKeysCount() <= POINTS_MAX ? Cost.POINT : Cost.RANGE;
        return answer(
                () -> {
                    api.checkRaw(request.getContext(), request.getKeysList());
                    Cf cf = format.cf(request.getCf());
                    return runner.read(
                            request.getContext(),
                            cost,
                            (target, view) ->
                                    reads.batchGet(
                                            request,
                                            cf,
                                            target.bounds(),
                                            reader(view),
                                            settings.responseBytes()));
                },
                e -> RawBatchGetResponse.newBuilder().addPairs(RawCommands.failed(e)).build());
    }

    public CompletableFuture<RawGetKeyTTLResponse> ttl(RawGetKeyTTLRequest request) {
        return answer(
                () -> {
                    Cf cf = checked(request.getContext(), request.getKey(), request.getCf());
                    if (!format.values().hasTtl()) {
                        throw new RawException(
                                "ttl is not enabled on this cluster: values have none");
                    }
                    long now = nowSeconds();
                    return runner.read(
                            request.getContext(),
                            Cost.POINT,
                            (target, view) -> {
                                checkRead(target, request.getKey());
                                RawReader reader = new RawReader(view, format, now);
                                return reads.ttl(request, cf, reader, now);
                            });
                },
                e -> RawGetKeyTTLResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawPutResponse> put(RawPutRequest request) {
        return answer(
                () -> {
                    Cf cf = checked(request.getContext(), request.getKey(), request.getCf());
                    writes.check(request);
                    return blind(
                            request.getContext(),
                            List.of(request.getKey()),
                            request.getForCas(),
                            ts -> one(writes.put(request, cf, nowSeconds(), ts)),
                            0,
                            RawPutResponse.getDefaultInstance());
                },
                e -> RawPutResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawBatchPutResponse> batchPut(RawBatchPutRequest request) {
        return answer(
                () -> {
                    List<ByteString> keys = new ArrayList<>(request.getPairsCount());
                    long largest = 0;
                    for (KvPair pair : request.getPairsList()) {
                        keys.add(pair.getKey());
                        largest = Math.max(largest, pair.getSerializedSize());
                    }
                    long largestPair = largest;
                    api.checkRaw(request.getContext(), keys);
                    Cf cf = format.cf(request.getCf());
                    writes.check(request);
                    return blind(
                            request.getContext(),
                            keys,
                            request.getForCas(),
                            ts -> writes.batchPut(request, cf, nowSeconds(), ts, partBytes()),
                            largestPair,
                            RawBatchPutResponse.getDefaultInstance());
                },
                e -> RawBatchPutResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawDeleteResponse> delete(RawDeleteRequest request) {
        return answer(
                () -> {
                    Cf cf = checked(request.getContext(), request.getKey(), request.getCf());
                    return blind(
                            request.getContext(),
                            List.of(request.getKey()),
                            request.getForCas(),
                            ts -> one(writes.delete(request, cf, ts)),
                            0,
                            RawDeleteResponse.getDefaultInstance());
                },
                e -> RawDeleteResponse.newBuilder().setError(e.text()).build());
    }

    public CompletableFuture<RawBatchDeleteResponse> batchDelete(RawBatchDeleteRequest request) {
        return answer(
                () -> {
                    api.checkRaw(request.getContext(), request.getKeysList());
                    Cf cf = format.cf(request.getCf());
                    writes.check(request);
                    return blind(
                            request.getContext(),
                            request.getKeysList(),
                            request.getForCas(),
                            ts -> writes.batchDelete(request, cf, ts, partBytes()),
                            0,
                            RawBatchDeleteResponse.getDefaultInstance());
                },
                e -> RawBatchDeleteResponse.newBuilder().setError(e.text()).build());
    }

    /** Atomic with other compare-and-swaps and with writers that set {@code for_cas}. */
    public CompletableFuture<RawCASResponse> compareAndSwap(RawCASRequest request) {
        return answer(
                () -> {
                    Cf cf = checked(request.getContext(), request.getKey(), request.getCf());
                    ApiChecks.checkRawKey(request.getKey());
                    format.values().checkTtl(request.getTtl());
                    Deadline deadline = Deadline.of(request.getContext(), runner.clock());
                    return stamped(
                            request.getContext(),
                            (target, ts) ->
                                    runner.writeTarget(
                                            target,
                                            deadline,
                                            List.of(request.getKey().toByteArray()),
                                            (checked, view) ->
                                                    swap(request, cf, checked, view, ts)));
                },
                e -> RawCASResponse.newBuilder().setError(e.text()).build());
    }

    private Outcome<RawCASResponse> swap(
            RawCASRequest request, Cf cf, Target target, KvSnapshot view, long ts) {
        checkRead(target, request.getKey());
        long now = nowSeconds();
        return reads.compareAndSwap(request, cf, new RawReader(view, format, now), now, ts);
    }

    private <R> CompletableFuture<R> blind(
            Context context,
            List<ByteString> keys,
            boolean forCas,
            LongFunction<Iterator<WriteBatchBuilder>> batches,
            long largestPair,
            R response) {
        keys.forEach(ApiChecks::checkRawKey);
        Deadline deadline = Deadline.of(context, runner.clock());
        Collection<byte[]> latches =
                forCas ? keys.stream().map(ByteString::toByteArray).toList() : List.of();
        return stamped(
                        context,
                        (target, ts) -> {
                            for (ByteString key : keys) {
                                checkWrite(target, key, ts);
                            }
                            // Before any part of a large batch is written.
                            runner.checkSize(target, largestPair);
                            return runner.blindWrite(target, deadline, latches, batches.apply(ts));
                        })
                .thenApply(done -> response);
    }

    private static Iterator<WriteBatchBuilder> one(WriteBatchBuilder batch) {
        return List.of(batch).iterator();
    }

    /** Batches of keys are no transactions: a large one is written in several entries. */
    private int partBytes() {
        return (int) Math.min(settings.entryBytes() / 2, Integer.MAX_VALUE / 2);
    }

    /** Checks the region and, where keys have versions, gets the timestamp of a write to it. */
    private <R> CompletableFuture<R> stamped(
            Context context, BiFunction<Target, Long, CompletableFuture<R>> write) {
        Target target = runner.checks().check(context);
        if (!format.keys().versioned()) {
            return write.apply(target, 0L);
        }
        return stamps.next(target.shape().getRegionId(), target.region().term())
                .thenCompose(ts -> write.apply(target, ts));
    }

    /** Checks version and key, and finds the column family. */
    private Cf checked(Context context, ByteString key, String cf) {
        api.checkRaw(context, key);
        return format.cf(cf);
    }

    /** TiKV tells a read key outside of the region as a text, but with versions as for writes. */
    private void checkRead(Target target, ByteString key) {
        byte[] bound = format.keys().bound(key);
        if (target.bounds().contains(bound)) {
            return;
        }
        throw format.keys().versioned()
                ? RequestChecks.keyNotInRegion(target, UnsafeByteOperations.unsafeWrap(bound))
                : new RawException("the key is not in the region of this request: route it again");
    }

    private void checkWrite(Target target, ByteString key, long ts) {
        if (!target.bounds().contains(format.keys().bound(key))) {
            byte[] stored = format.keys().at(key, ts);
            throw RequestChecks.keyNotInRegion(target, UnsafeByteOperations.unsafeWrap(stored));
        }
    }

    private RawReader reader(KvSnapshot view) {
        return new RawReader(view, format, nowSeconds());
    }

    private long nowSeconds() {
        return runner.clock().wallMillis() / 1000;
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
