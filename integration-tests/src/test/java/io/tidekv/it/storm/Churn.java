package io.tidekv.it.storm;

import com.google.protobuf.ByteString;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.SplitRegionRequest;
import io.tidekv.proto.cluster.StoreInfo;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** Moves regions to and fro, and splits them at given keys, all the while. */
final class Churn {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final Cluster cluster;
    private final Random random;
    private final Deque<ByteString> splitKeys;
    private int moves;
    private int splits;

    /**
     * @param splitKeys stored keys
     */
    Churn(Cluster cluster, Random random, List<ByteString> splitKeys) {
        this.cluster = cluster;
        this.random = random;
        this.splitKeys = new ArrayDeque<>(splitKeys);
    }

    int moves() {
        return moves;
    }

    int splits() {
        return splits;
    }

    void run(Pace pace) {
        while (pace.pass(300 + random.nextInt(1500))) {
            try {
                if (random.nextInt(3) == 0 && !splitKeys.isEmpty()) {
                    split();
                } else {
                    move();
                }
            } catch (RuntimeException e) {
                // What it touched was hurt by a fault; the next may go better.
                pace.pass(200);
            }
        }
    }

    private void move() {
        List<RegionInfo> regions = regions();
        List<StoreInfo> stores =
                cluster.ask(
                                TIMEOUT_MILLIS,
                                c -> c.listStores(ListStoresRequest.getDefaultInstance()))
                        .getStoresList();
        RegionInfo region = regions.get(random.nextInt(regions.size()));
        StoreInfo target = stores.get(random.nextInt(stores.size()));
        if (region.getOwner().getStoreId() == target.getOwner().getStoreId()) {
            return;
        }
        cluster.ask(
                TIMEOUT_MILLIS + 1000,
                c ->
                        c.moveRegion(
                                MoveRegionRequest.newBuilder()
                                        .setRegionId(region.getShape().getRegionId())
                                        .setTargetStoreId(target.getOwner().getStoreId())
                                        .setTimeoutMs(TIMEOUT_MILLIS)
                                        .build()));
        moves++;
    }

    private void split() {
        ByteString key = splitKeys.peek();
        for (RegionInfo region : regions()) {
            ByteString start = region.getShape().getStartKey();
            ByteString end = region.getShape().getEndKey();
            if (compare(start, key) < 0 && (end.isEmpty() || compare(key, end) < 0)) {
                cluster.ask(
                        TIMEOUT_MILLIS + 1000,
                        c ->
                                c.splitRegion(
                                        SplitRegionRequest.newBuilder()
                                                .setRegionId(region.getShape().getRegionId())
                                                .addKeys(key)
                                                .setTimeoutMs(TIMEOUT_MILLIS)
                                                .build()));
                splits++;
            }
        }
        splitKeys.poll();
    }

    private List<RegionInfo> regions() {
        return cluster.ask(
                        TIMEOUT_MILLIS, c -> c.listRegions(ListRegionsRequest.getDefaultInstance()))
                .getRegionsList();
    }

    private static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }
}
