package io.tidekv.it;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.SplitRegionRequest;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Splits regions at given stored keys, one after the other, while a test goes on. */
public final class Splitter implements AutoCloseable {
    private static final int ATTEMPTS = 20;

    private final ManagedChannel channel;
    private final ClusterGrpc.ClusterBlockingStub cluster;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread;
    private volatile int splits;

    Splitter(Playground playground, List<ByteString> keys, long pauseMillis) {
        channel = playground.channel(playground.pd());
        cluster = Playground.cluster(channel);
        thread = new Thread(() -> run(keys, pauseMillis), "splitter");
        thread.start();
    }

    /** Splits that took effect so far. */
    int splits() {
        return splits;
    }

    int regions() {
        return regions(cluster).size();
    }

    /** All regions, as PD knows them. */
    public static List<RegionInfo> regions(ClusterGrpc.ClusterBlockingStub cluster) {
        return cluster.withDeadlineAfter(10, TimeUnit.SECONDS)
                .listRegions(ListRegionsRequest.getDefaultInstance())
                .getRegionsList();
    }

    /** Waits until all keys have been tried. */
    void join() throws InterruptedException {
        thread.join();
    }

    private void run(List<ByteString> keys, long pauseMillis) {
        for (ByteString key : keys) {
            try {
                for (int attempt = 0; attempt < ATTEMPTS && !tried(key); attempt++) {
                    if (stop.await(500, TimeUnit.MILLISECONDS)) {
                        return;
                    }
                }
                if (stop.await(pauseMillis, TimeUnit.MILLISECONDS)) {
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** A region that is just being moved or split refuses for a moment. */
    private boolean tried(ByteString key) {
        try {
            splits += split(cluster, key) ? 1 : 0;
            return true;
        } catch (StatusRuntimeException e) {
            System.out.println("split refused: " + e.getStatus());
            return false;
        }
    }

    /** Splits the region that has the stored key inside; false when it is a border already. */
    public static boolean split(ClusterGrpc.ClusterBlockingStub cluster, ByteString key) {
        for (RegionInfo region : regions(cluster)) {
            ByteString start = region.getShape().getStartKey();
            ByteString end = region.getShape().getEndKey();
            if (compare(start, key) < 0 && (end.isEmpty() || compare(key, end) < 0)) {
                cluster.withDeadlineAfter(20, TimeUnit.SECONDS)
                        .splitRegion(
                                SplitRegionRequest.newBuilder()
                                        .setRegionId(region.getShape().getRegionId())
                                        .addKeys(key)
                                        .setTimeoutMs(15_000)
                                        .build());
                return true;
            }
        }
        return false;
    }

    private static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }

    @Override
    public void close() throws InterruptedException {
        stop.countDown();
        thread.join();
        channel.shutdownNow();
    }
}
