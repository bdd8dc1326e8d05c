package io.tidekv.it.storm;

import com.google.protobuf.ByteString;
import io.tidekv.it.Splitter;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.RegionInfo;
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
        List<RegionInfo> regions = cluster.ask(TIMEOUT_MILLIS, Splitter::regions);
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
        splits += cluster.ask(TIMEOUT_MILLIS, c -> Splitter.split(c, key)) ? 1 : 0;
        splitKeys.poll();
    }
}
