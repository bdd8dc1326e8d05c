package io.tidekv.compute.restore;

import io.tidekv.compute.tablet.rocks.TabletWorkbench;
import io.tidekv.objects.restore.StateMaker;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A temporary place for tablets: opens RocksDB when the first state is asked for, and leaves
 * nothing on the disk. Belongs to one thread.
 */
public final class RestoreWorkshop implements StateMaker, AutoCloseable {
    private static final Duration MOMENT = Duration.ofMillis(20);
    private static final long CACHE_BYTES = 1L << 40;

    private final ObjectStore cluster;
    private final long clusterId;
    private @Nullable Tools tools;

    /**
     * @param cluster the cluster's part of the object store; stays the caller's
     */
    public RestoreWorkshop(ObjectStore cluster, long clusterId) {
        this.cluster = cluster;
        this.clusterId = clusterId;
    }

    private record Tools(TabletWorkbench bench, StateMaker maker) {}

    @Override
    public Replay begin(ObjectRef ref, TabletRecord record, long term) {
        return tools(record.getApiMode()).maker.begin(ref, record, term);
    }

    @Override
    public Replay beginEmpty(RegionShape shape, int apiMode, long term) {
        return tools(apiMode).maker.beginEmpty(shape, apiMode, term);
    }

    @Override
    public List<TabletRecord> settle(List<TabletRecord> regions, long upToTs) {
        return regions.isEmpty()
                ? regions
                : tools(regions.get(0).getApiMode()).maker.settle(regions, upToTs);
    }

    private Tools tools(int apiMode) {
        Tools ready = tools;
        if (ready == null) {
            ready = open(apiMode);
            tools = ready;
        }
        return ready;
    }

    private Tools open(int apiMode) {
        StoreContext context = StoreContext.system();
        try {
            Path folder = Files.createTempDirectory("tidekv-restore");
            TabletWorkbench bench =
                    TabletWorkbench.open(
                            cluster, clusterId, apiMode, folder, CACHE_BYTES, true, context);
            return new Tools(bench, new TabletStateMaker(bench.tablets(), () -> moment(context)));
        } catch (IOException e) {
            throw new UncheckedIOException("no temporary folder: " + e.getMessage(), e);
        }
    }

    private static void moment(StoreContext context) {
        try {
            context.sleeper().sleep(MOMENT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a region is restored", e);
        }
    }

    @Override
    public void close() {
        Tools last = tools;
        tools = null;
        if (last != null) {
            last.bench.close();
        }
    }
}
