package io.tidekv.it.storm;

import com.google.protobuf.ByteString;
import io.tidekv.it.Splitter;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.MergeRegionsRequest;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.StoreInfo;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * Moves regions to and fro, splits them at given keys, and makes neighbours one again, all the
 * while.
 */
final class Churn {
    private static final int TIMEOUT_MILLIS = 10_000;

    /** So many are always left, to be moved and hurt. */
    private static final int REGIONS_MIN = 3;

    private final Cluster cluster;
    private final Random random;
    private final Deque<ByteString> splitKeys;
    private int moves;
    private int splits;
    private int merges;

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

    int merges() {
        return merges;
    }

    void run(Pace pace) {
        while (pace.pass(300 + random.nextInt(1500))) {
            try {
                int which = random.nextInt(6);
                if (which < 2 && !splitKeys.isEmpty()) {
                    split();
                } else if (which == 2) {
                    merge();
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

    private void merge() {
        List<RegionInfo> regions = new ArrayList<>(cluster.ask(TIMEOUT_MILLIS, Splitter::regions));
        if (regions.size() <= REGIONS_MIN) {
            return;
        }
        regions.sort(
                Comparator.comparing(
                        region -> region.getShape().getStartKey(),
                        ByteString.unsignedLexicographicalComparator()));
        int at = 1 + random.nextInt(regions.size() - 1);
        boolean up = random.nextBoolean();
        cluster.ask(
                TIMEOUT_MILLIS + 1000,
                c ->
                        c.mergeRegions(
                                MergeRegionsRequest.newBuilder()
                                        .setSourceRegionId(id(regions.get(up ? at - 1 : at)))
                                        .setTargetRegionId(id(regions.get(up ? at : at - 1)))
                                        .setTimeoutMs(TIMEOUT_MILLIS)
                                        .build()));
        merges++;
        // To be split there once more.
        splitKeys.add(regions.get(at).getShape().getStartKey());
    }

    private static long id(RegionInfo region) {
        return region.getShape().getRegionId();
    }

    private void split() {
        ByteString key = splitKeys.peek();
        splits += cluster.ask(TIMEOUT_MILLIS, c -> Splitter.split(c, key)) ? 1 : 0;
        splitKeys.poll();
    }
}
