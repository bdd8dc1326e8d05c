package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.tablet.GranuleSettings;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.PackOptions;
import io.tidekv.objects.upload.UploadOptions;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.stream.Stream;

/** A compute process's storage around one object store; opened anew it has an empty disk. */
final class TestStores implements AutoCloseable {
    static final long CLUSTER = 77;

    /** All share objects. */
    private static final PackOptions PACKS =
            new PackOptions(1, 1, 4 << 10, 60_000, Duration.ofMillis(2), 0);

    final SwitchableStore objects;
    final Path folder;
    final TabletSettings settings;
    final SstCache cache;
    final Uploader uploader;
    final ThreadScheduler scheduler = new ThreadScheduler("test");
    final RocksTabletStore tablets;

    TestStores(SwitchableStore objects, Path folder, boolean hydrate) {
        this(objects, folder, hydrate, 8);
    }

    TestStores(SwitchableStore objects, Path folder, boolean hydrate, int compactAtFiles) {
        this(objects, folder, settings(folder, hydrate, compactAtFiles));
    }

    TestStores(SwitchableStore objects, Path folder, TabletSettings settings) {
        this(objects, folder, settings, 1L << 30);
    }

    /** With a local disk for so many bytes. */
    TestStores(SwitchableStore objects, Path folder, TabletSettings settings, long cacheBytes) {
        this(objects, folder, settings, cacheBytes, SystemClock.INSTANCE);
    }

    TestStores(
            SwitchableStore objects,
            Path folder,
            TabletSettings settings,
            long cacheBytes,
            Clock clock) {
        this(objects, folder, settings, cacheBytes, clock, PACKS);
    }

    TestStores(
            SwitchableStore objects,
            Path folder,
            TabletSettings settings,
            long cacheBytes,
            Clock clock,
            PackOptions packs) {
        this.objects = objects;
        this.folder = folder;
        this.settings = settings;
        StoreContext context = new StoreContext(clock, Randomness.real(), Sleeper.real());
        CacheOptions options =
                new CacheOptions(
                        folder.resolve("cache"),
                        cacheBytes,
                        4,
                        Duration.ofMillis(50),
                        cacheBytes < 1L << 30 ? Duration.ZERO : Duration.ofSeconds(5));
        cache = SstCache.open(objects, options, context);
        UploadOptions uploads = new UploadOptions(2, 1000, Duration.ofMillis(50));
        uploader = Uploader.packing(objects, cache, uploads, packs, scheduler, context);
        tablets = RocksTabletStore.open(settings, objects, cache, uploader, scheduler, context);
    }

    static TabletSettings settings(Path folder, boolean hydrate, int compactAtFiles) {
        return settings(folder, hydrate, compactAtFiles, Duration.ofSeconds(10));
    }

    /** Large tables, read in granules of 16 KB when they are not here. */
    static TabletSettings granular(Path folder, boolean hydrate, int wholeAtPercent) {
        TabletSettings base = settings(folder, hydrate, 1000);
        return new TabletSettings(
                base.clusterId(),
                base.apiMode(),
                base.folder(),
                base.scratch(),
                base.blockCacheBytes(),
                base.memtablesBytes(),
                base.memtableBytes(),
                1 << 20,
                base.maxOpenFiles(),
                base.compactAtFiles(),
                base.backgroundBytesPerSecond(),
                base.warmBytesPerSecond(),
                base.flushDeadline(),
                base.hydrateInBackground(),
                new GranuleSettings(100_000, 16 << 10, wholeAtPercent));
    }

    /** Compacts early and waits for a flush only briefly. */
    static TabletSettings impatient(Path folder) {
        return settings(folder, false, 3, Duration.ofMillis(1500));
    }

    private static TabletSettings settings(
            Path folder, boolean hydrate, int compactAtFiles, Duration flushDeadline) {
        return settings(folder, ApiMode.V1, hydrate, compactAtFiles, flushDeadline);
    }

    /** Of a cluster of some API mode. */
    static TabletSettings settings(Path folder, ApiMode mode) {
        return settings(folder, mode, false, 8, Duration.ofSeconds(10));
    }

    private static TabletSettings settings(
            Path folder,
            ApiMode mode,
            boolean hydrate,
            int compactAtFiles,
            Duration flushDeadline) {
        return new TabletSettings(
                CLUSTER,
                mode.id(),
                folder.resolve("tablets"),
                Path.of("/dev/shm"),
                8 << 20,
                64 << 20,
                8 << 20,
                7 << 10,
                100,
                compactAtFiles,
                1 << 30,
                1 << 30,
                flushDeadline,
                hydrate,
                GranuleSettings.NONE);
    }

    /** Publishes as the driver does when its ManifestCommit is applied at once. */
    PreparedRecord publish(Tablet tablet, long term) {
        PreparedRecord base = tablet.base();
        ObjectRef parent = base == null ? null : base.ref();
        PreparedRecord prepared =
                tablets.publisher().prepare(tablet, new PublishRequest(term, parent));
        tablet.published(prepared);
        return prepared;
    }

    /** As above in an object that is shared with others. */
    PreparedRecord publishShared(Tablet tablet, long term) {
        PreparedRecord base = tablet.base();
        PublishRequest request = new PublishRequest(term, base == null ? null : base.ref());
        PreparedRecord prepared = tablets.publisher().prepareShared(tablet, request).join();
        tablet.published(prepared);
        return prepared;
    }

    /** A compactor that acts from so many files on, when it is asked to. */
    Compactor compactor(TabletSettings settings, int compactAtFiles) {
        TabletSettings eager =
                new TabletSettings(
                        settings.clusterId(),
                        settings.apiMode(),
                        settings.folder(),
                        settings.scratch(),
                        settings.blockCacheBytes(),
                        settings.memtablesBytes(),
                        settings.memtableBytes(),
                        settings.tableBytes(),
                        settings.maxOpenFiles(),
                        compactAtFiles,
                        settings.backgroundBytesPerSecond(),
                        settings.warmBytesPerSecond(),
                        settings.flushDeadline(),
                        settings.hydrateInBackground(),
                        settings.granules());
        return new Compactor(eager, Runnable::run);
    }

    /** All that a process leaves behind. */
    static void wipe(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        }
    }

    @Override
    public void close() {
        tablets.close();
        uploader.close();
        cache.close();
        scheduler.close();
    }
}
