package io.tidekv.compute.restore;

import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.tablet.GranuleSettings;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.rocks.RocksTabletStore;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.restore.StateMaker;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.UploadOptions;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
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

    private record Tools(
            Path folder,
            ThreadScheduler timers,
            SstCache cache,
            Uploader uploader,
            RocksTabletStore tablets,
            StateMaker maker) {}

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
            ThreadScheduler timers = new ThreadScheduler("restore-timer");
            SstCache cache =
                    SstCache.open(
                            cluster,
                            CacheOptions.of(folder.resolve("cache"), CACHE_BYTES),
                            context);
            Uploader uploader = new Uploader(cluster, cache, UploadOptions.defaults(), context);
            RocksTabletStore tablets =
                    RocksTabletStore.open(
                            settings(folder, apiMode), cluster, cache, uploader, timers, context);
            return new Tools(
                    folder,
                    timers,
                    cache,
                    uploader,
                    tablets,
                    new TabletStateMaker(tablets, () -> moment(context)));
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

    /** Nothing in the background: a state is opened, written, and closed. */
    private TabletSettings settings(Path folder, int apiMode) {
        TabletSettings base = TabletSettings.of(clusterId, apiMode, folder.resolve("tablets"));
        return new TabletSettings(
                clusterId,
                apiMode,
                base.folder(),
                folder.resolve("scratch"),
                base.blockCacheBytes(),
                base.memtablesBytes(),
                base.memtableBytes(),
                base.tableBytes(),
                base.maxOpenFiles(),
                Integer.MAX_VALUE,
                base.backgroundBytesPerSecond(),
                base.warmBytesPerSecond(),
                Duration.ofMinutes(5),
                false,
                GranuleSettings.NONE);
    }

    @Override
    public void close() {
        Tools last = tools;
        tools = null;
        if (last == null) {
            return;
        }
        last.tablets.close();
        last.uploader.close();
        last.cache.close();
        last.timers.close();
        try (Stream<Path> all = Files.walk(last.folder)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + last.folder, e);
        }
    }
}
