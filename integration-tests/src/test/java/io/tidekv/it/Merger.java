package io.tidekv.it;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.MergeRegionsRequest;
import io.tidekv.proto.cluster.RegionInfo;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** Makes a region of the keys between two borders, then part of its neighbour again. */
final class Merger implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 60;

    private final ManagedChannel channel;
    private final ClusterGrpc.ClusterBlockingStub cluster;
    private final CompletableFuture<Void> done;

    Merger(Playground playground, ByteString from, ByteString to) {
        channel = playground.channel(playground.pd());
        cluster = Playground.cluster(channel);
        done = CompletableFuture.runAsync(() -> run(from, to));
    }

    private void run(ByteString from, ByteString to) {
        patiently(() -> Splitter.split(cluster, from));
        patiently(() -> Splitter.split(cluster, to));
        patiently(() -> merge(from, to));
    }

    /** A region that is just being moved, split or merged refuses for a moment. */
    private static void patiently(Runnable order) {
        Awaitility.await()
                .atMost(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .ignoreExceptionsInstanceOf(StatusRuntimeException.class)
                .untilAsserted(order::run);
    }

    private void merge(ByteString from, ByteString to) {
        List<RegionInfo> regions = Splitter.regions(cluster);
        for (RegionInfo region : regions) {
            if (region.getShape().getStartKey().equals(to)) {
                merge(regions, from, region.getShape().getRegionId());
            }
        }
    }

    private void merge(List<RegionInfo> regions, ByteString from, long target) {
        for (RegionInfo region : regions) {
            if (region.getShape().getStartKey().equals(from)) {
                cluster.withDeadlineAfter(20, TimeUnit.SECONDS)
                        .mergeRegions(
                                MergeRegionsRequest.newBuilder()
                                        .setSourceRegionId(region.getShape().getRegionId())
                                        .setTargetRegionId(target)
                                        .setTimeoutMs(15_000)
                                        .build());
            }
        }
    }

    boolean isDone() {
        return done.isDone();
    }

    /** Waits for the merge; fails when it has not come about. */
    @Override
    public void close() {
        done.join();
        channel.shutdownNow();
    }
}
