package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvError.Route;
import io.tidekv.common.error.KvException;
import io.tidekv.common.error.RegionErrors;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.raw.RawKeys;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.proto.debugpb.ScanMvccResponse;
import io.tidekv.proto.kvrpcpb.CheckLeaderRequest;
import io.tidekv.proto.kvrpcpb.CheckLeaderResponse;
import io.tidekv.proto.kvrpcpb.LeaderInfo;
import io.tidekv.proto.kvrpcpb.SplitRegionRequest;
import io.tidekv.proto.kvrpcpb.SplitRegionResponse;
import io.tidekv.proto.kvrpcpb.UnsafeDestroyRangeRequest;
import io.tidekv.proto.kvrpcpb.UnsafeDestroyRangeResponse;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/** Requests about regions and about the store as a whole. Thread-safe. */
public final class StoreService {
    private final Runner runner;
    private final RangeDeletes deletes;
    private final RawKeys rawKeys;

    StoreService(Runner runner, RangeDeletes deletes, KvSettings settings) {
        this.runner = runner;
        this.deletes = deletes;
        rawKeys = new RawKeys(settings.mode());
    }

    public long storeId() {
        return runner.regions().storeId();
    }

    public long clusterId() {
        return runner.regions().clusterId();
    }

    /** Answers once all resulting regions serve. */
    public CompletableFuture<SplitRegionResponse> split(SplitRegionRequest request) {
        try {
            Target target = runner.checks().checkSplit(request.getContext());
            List<byte[]> keys = splitKeys(request, target);
            return target.region().split(target.version(), keys).thenApply(this::splitResponse);
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @SuppressWarnings("deprecation") // old clients send split_key
    private List<byte[]> splitKeys(SplitRegionRequest request, Target target) {
        List<ByteString> asked =
                request.getSplitKeysCount() > 0
                        ? request.getSplitKeysList()
                        : request.getSplitKey().isEmpty()
                                ? List.of()
                                : List.of(request.getSplitKey());
        TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
        for (ByteString key : asked) {
            keys.add(
                    request.getIsRawKv()
                            ? rawKeys.bound(key)
                            : Memcomparable.encode(key.toByteArray()));
        }
        if (keys.isEmpty()) {
            throw invalid("the request names no split key");
        }
        for (byte[] key : keys) {
            RequestChecks.checkStart(target, key);
            if (target.shape().getStartKey().equals(UnsafeByteOperations.unsafeWrap(key))) {
                throw invalid("a split key is the start of the region: it is split there already");
            }
        }
        return List.copyOf(keys);
    }

    @SuppressWarnings("deprecation") // left and right are for old clients
    private SplitRegionResponse splitResponse(List<RegionShape> shapes) {
        SplitRegionResponse.Builder response = SplitRegionResponse.newBuilder();
        for (RegionShape shape : shapes) {
            response.addRegions(RegionErrors.region(new Route(shape, storeId())));
        }
        if (shapes.size() == 2) {
            response.setLeft(response.getRegions(0)).setRight(response.getRegions(1));
        }
        return response.build();
    }

    /**
     * Which of the leaders that another store believes in are those of this store. TiKV's stores
     * ask each other so how far the log of a region can be read anywhere.
     */
    public CheckLeaderResponse agreed(CheckLeaderRequest request) {
        CheckLeaderResponse.Builder response =
                CheckLeaderResponse.newBuilder().setTs(request.getTs());
        for (LeaderInfo believed : request.getRegionsList()) {
            if (runner.checks().isLeader(believed)) {
                response.addRegions(believed.getRegionId());
            }
        }
        return response.build();
    }

    /** Takes user keys of transactional data; clients send it to every store. */
    public CompletableFuture<UnsafeDestroyRangeResponse> destroyRange(
            UnsafeDestroyRangeRequest request) {
        byte[] start = TxnKey.of(request.getStartKey()).encoded();
        byte[] end = TxnKey.of(request.getEndKey()).encoded();
        if (Arrays.compareUnsigned(start, end) >= 0) {
            return CompletableFuture.completedFuture(
                    UnsafeDestroyRangeResponse.newBuilder()
                            .setError("the start of the range is not below its end")
                            .build());
        }
        return deletes.deleteEverywhere(List.of(Cf.values()), start, end)
                .thenApply(done -> UnsafeDestroyRangeResponse.getDefaultInstance());
    }

    /** A stored key as it is, for people who look into a cluster. */
    public CompletableFuture<Optional<ByteString>> stored(Cf cf, byte[] key) {
        for (Region region : runner.regions().regions()) {
            if (KeyBounds.of(region.shape()).contains(key)) {
                return runner.readTarget(
                        Target.of(region),
                        Cost.POINT,
                        view ->
                                Optional.ofNullable(view.get(cf, key))
                                        .map(UnsafeByteOperations::unsafeWrap));
            }
        }
        return CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * All that is stored for transactional keys, in the order of the keys: at most {@code limit} of
     * {@code [from, to)}, an empty {@code to} being no bound.
     */
    public CompletableFuture<List<ScanMvccResponse>> mvcc(byte[] from, byte[] to, int limit) {
        return mvcc(runner.regions().regions().iterator(), from, to, limit, new ArrayList<>());
    }

    private CompletableFuture<List<ScanMvccResponse>> mvcc(
            Iterator<Region> left,
            byte[] from,
            byte[] to,
            int limit,
            List<ScanMvccResponse> found) {
        if (!left.hasNext() || found.size() >= limit) {
            return CompletableFuture.completedFuture(found);
        }
        CompletableFuture<List<MvccRows.Row>> rows =
                runner.readTarget(
                        Target.of(left.next()),
                        Cost.RANGE,
                        view ->
                                MvccRows.read(
                                        view,
                                        from,
                                        to.length == 0 ? null : to,
                                        limit - found.size()));
        return rows.thenCompose(
                some -> {
                    for (MvccRows.Row row : some) {
                        found.add(
                                ScanMvccResponse.newBuilder()
                                        .setKey(row.key())
                                        .setInfo(row.info())
                                        .build());
                    }
                    return mvcc(left, from, to, limit, found);
                });
    }

    private static KvException invalid(String message) {
        return new KvException(new KvError.InvalidRequest(message));
    }
}
