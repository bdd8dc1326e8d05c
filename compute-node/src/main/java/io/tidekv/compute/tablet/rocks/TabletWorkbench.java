package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.tablet.GranuleSettings;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.UploadOptions;
import io.tidekv.objects.upload.Uploader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A place for tablets that are opened, worked on and closed, one after the other, and serve nobody:
 * nothing goes on in the background, and nothing is left on the disk. To be closed when no tablet
 * is open.
 */
public final class TabletWorkbench implements AutoCloseable {
    private final Path folder;
    private final ThreadScheduler timers;
    private final SstCache cache;
    private final Uploader uploader;
    private final RocksTabletStore tablets;

    private TabletWorkbench(
            Path folder,
            ThreadScheduler timers,
            SstCache cache,
            Uploader uploader,
            RocksTabletStore tablets) {
        this.folder = folder;
        this.timers = timers;
        this.cache = cache;
        this.uploader = uploader;
        this.tablets = tablets;
    }

    /**
     * Opens one.
     *
     * @param cluster the cluster's part of the object store; stays the caller's
     * @param folder deleted at the end
     * @param cacheBytes of table files that are kept in the folder
     * @param keepsUploads whether what is uploaded stays there too
     */
    public static TabletWorkbench open(
            ObjectStore cluster,
            long clusterId,
            int apiMode,
            Path folder,
            long cacheBytes,
            boolean keepsUploads,
            StoreContext context)
            throws IOException {
        ThreadScheduler timers = new ThreadScheduler("workbench-timer");
        CacheOptions options = CacheOptions.of(folder.resolve("cache"), cacheBytes);
        SstCache cache = SstCache.open(cluster, options, context);
        Uploader uploader =
                new Uploader(
                        cluster, keepsUploads ? cache : null, UploadOptions.defaults(), context);
        RocksTabletStore tablets =
                RocksTabletStore.open(
                        settings(clusterId, apiMode, folder),
                        cluster,
                        cache,
                        uploader,
                        timers,
                        context);
        return new TabletWorkbench(folder, timers, cache, uploader, tablets);
    }

    private static TabletSettings settings(long clusterId, int apiMode, Path folder) {
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

    public RocksTabletStore tablets() {
        return tablets;
    }

    @Override
    public void close() {
        tablets.close();
        uploader.close();
        cache.close();
        timers.close();
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + folder, e);
        }
    }
}
