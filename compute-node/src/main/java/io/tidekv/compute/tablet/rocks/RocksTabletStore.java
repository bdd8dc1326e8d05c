package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.Threads;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.TabletStats;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestException;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.hydrate.Pin;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.manifest.RecordDamaged;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The tablets of a compute process, on RocksDB. */
public final class RocksTabletStore implements TabletStore {
    private static final Logger log = LoggerFactory.getLogger(RocksTabletStore.class);
    private static final int QUEUED_MAX = 10_000;
    private static final Duration LONGEST_TASK = Duration.ofSeconds(15);

    private final TabletSettings settings;
    private final ObjectStore objects;
    private final SstCache cache;
    private final NativeOptions shared;
    private final Workspace workspace;
    private final ExecutorService hydrations = Threads.pool("tablet-hydrate", 1, QUEUED_MAX);
    private final ExecutorService compactions = Threads.pool("tablet-compact", 1, QUEUED_MAX);
    private final ExecutorService evictions = Threads.pool("tablet-evict", 1, QUEUED_MAX);
    private final Set<RocksTablet> open = ConcurrentHashMap.newKeySet();
    private final Clock clock;

    /** When a share of the values of tablets that have been closed ends, in seconds, by region. */
    private final Map<Long, Long> endings = new ConcurrentHashMap<>();

    private final ReadCounters reads;
    private final GranuleCounters granules;
    private final GarbageCollector garbage;
    private final Hydrator hydrator;
    private final Compactor compactor;
    private final Uploader uploader;
    private final RocksPublisher publisher;

    private RocksTabletStore(
            TabletSettings settings,
            ObjectStore objects,
            SstCache cache,
            Uploader uploader,
            Scheduler scheduler,
            StoreContext context) {
        this.settings = settings;
        this.objects = objects;
        this.cache = cache;
        this.shared = new NativeOptions(settings);
        this.workspace =
                Workspace.open(settings.folder(), settings.scratch(), context.randomness());
        this.clock = context.clock();
        this.reads = new ReadCounters(context.clock());
        this.granules = new GranuleCounters(settings.granules());
        this.garbage =
                new GarbageCollector(
                        ApiMode.of(settings.apiMode()), compactions, scheduler, context.clock());
        this.hydrator =
                new Hydrator(
                        cache,
                        hydrations,
                        scheduler,
                        context.clock(),
                        settings.warmBytesPerSecond());
        this.compactor = new Compactor(settings, compactions);
        this.uploader = uploader;
        this.publisher =
                new RocksPublisher(
                        settings,
                        uploader,
                        new Flusher(context.clock(), settings.flushDeadline()),
                        compactor,
                        new RecordCutter(
                                cache,
                                uploader,
                                new FileCutter(
                                        shared,
                                        workspace,
                                        context.clock(),
                                        settings.flushDeadline())));
        cache.onPressure(new Evictor(cache, open, evictions, scheduler)::wake);
    }

    /**
     * Sets up folders and loads RocksDB. What is passed in stays the caller's and must outlive the
     * store.
     *
     * @param objects the cluster's part of the object store
     */
    public static RocksTabletStore open(
            TabletSettings settings,
            ObjectStore objects,
            SstCache cache,
            Uploader uploader,
            Scheduler scheduler,
            StoreContext context) {
        return new RocksTabletStore(settings, objects, cache, uploader, scheduler, context);
    }

    @Override
    public PreparedRecord load(long regionId, ObjectRef ref) {
        String object = ref.getKey();
        try {
            byte[] frame = RecordCodec.read(objects, ref);
            TabletRecord record =
                    RecordCodec.decode(
                            object,
                            frame,
                            new RecordCodec.Expected(settings.clusterId(), regionId));
            return new PreparedRecord(ref, record);
        } catch (ObjectStoreException e) {
            throw Failures.unavailable(
                    regionId, object, "record " + object + ": " + e.kind() + ": " + e.getMessage());
        } catch (RecordDamaged e) {
            throw Failures.unavailable(
                    regionId, object, "record " + object + ": " + e.getMessage());
        }
    }

    @Override
    public Tablet open(@Nullable PreparedRecord record, RegionShape shape) {
        long regionId = shape.getRegionId();
        String object = record == null ? "" : record.ref().getKey();
        try {
            if (record != null) {
                check(record.record(), shape);
            }
            FileSet files = record == null ? RecordFiles.empty() : RecordFiles.of(record.record());
            Instance instance = Instance.open(regionId, files, shared, workspace);
            return tablet(instance, record, shape);
        } catch (ManifestException e) {
            throw Failures.unavailable(
                    regionId, object, "record " + object + " is refused: " + e.getMessage());
        } catch (RocksDBException e) {
            throw Failures.unavailable(
                    regionId, object, "RocksDB does not open: " + Failures.describe(e));
        } catch (IOException e) {
            throw Failures.unavailable(regionId, "", "cannot open its folders: " + e);
        }
    }

    private void check(TabletRecord record, RegionShape shape) {
        RegionShape recorded = record.getShape();
        if (record.getClusterId() != settings.clusterId()
                || record.getApiMode() != settings.apiMode()) {
            throw new ManifestException("it is of another cluster or API mode");
        }
        if (recorded.getRegionId() != shape.getRegionId()
                || !recorded.getStartKey().equals(shape.getStartKey())
                || !recorded.getEndKey().equals(shape.getEndKey())) {
            throw new ManifestException("it is of another region or range");
        }
    }

    private Tablet tablet(Instance instance, @Nullable PreparedRecord base, RegionShape shape) {
        TabletRecord record = base == null ? null : base.record();
        RegionState state =
                record == null ? RegionState.fresh(shape) : RegionState.of(record).withShape(shape);
        LocalFiles files =
                new LocalFiles(shape.getRegionId(), instance, cache, reads, granules, record);
        Cells cells = new Cells(instance, RocksTablet.markOf(base), state);
        Long endsAt = endings.remove(shape.getRegionId());
        GarbageCollector.History history =
                new GarbageCollector.History(endsAt == null ? Long.MAX_VALUE : endsAt);
        RocksTablet tablet =
                new RocksTablet(instance, files, cells, base, state, history, new Happened());
        open.add(tablet);
        if (!files.complete() && settings.hydrateInBackground()) {
            hydrator.enqueue(tablet);
        }
        return tablet;
    }

    private void closed(RocksTablet tablet) {
        open.remove(tablet);
        tablet.files().close();
        long endsAt = tablet.garbage().endsAtSeconds();
        if (endsAt != Long.MAX_VALUE) {
            endings.put(tablet.regionId(), endsAt);
        }
    }

    private final class Happened implements RocksTablet.Events {
        @Override
        public void onPublished(RocksTablet tablet) {
            compactor.published(tablet);
        }

        @Override
        public void onTakenBack(RocksTablet tablet) {
            compactor.takenBack(tablet);
        }

        @Override
        public void onClose(RocksTablet tablet) {
            closed(tablet);
        }
    }

    @Override
    public Publisher publisher() {
        return publisher;
    }

    @Override
    public void fetch(List<ObjectRef> refs) {
        List<Pin> pins = new ArrayList<>();
        try {
            for (ObjectRef ref : refs) {
                pins.add(cache.pin(ref));
                cache.fetchAsync(ref);
            }
            refs.forEach(cache::fetch);
        } finally {
            pins.forEach(Pin::close);
        }
    }

    /**
     * From now on tablets put compactions aside for others, as {@link Tablet#lent} says.
     *
     * @param wanted whether somebody asks for one at present; called often
     * @param bytesMin smaller ones are done here
     */
    public void lendCompactions(BooleanSupplier wanted, long bytesMin) {
        compactor.lend(new Compactor.Lending(wanted, bytesMin));
    }

    /**
     * Does a compaction that the owner of a tablet has put aside, in a clone, and uploads the
     * outputs in the name of the owner's term. Changes nothing else. Blocks; throws KvException and
     * {@link ObjectStoreException}.
     */
    public Compacted compactClone(LentCompaction compaction, long term) {
        PreparedRecord base = compaction.base();
        RocksTablet clone = (RocksTablet) open(base, base.record().getShape());
        try {
            clone.acquire();
            try {
                return new CloneCompaction(clone, compactor, uploader).run(compaction, term);
            } finally {
                clone.instance().release();
            }
        } finally {
            clone.close();
        }
    }

    /**
     * Drops versions that no reader at {@code safePoint} or above can see, and raw values that have
     * ended, by and by, where there may be enough of them. Takes a moment; to be called now and
     * then.
     */
    public void collectGarbage(long safePoint) {
        for (RocksTablet tablet : open) {
            if (tablet.instance().tryUse()) {
                try {
                    garbage.consider(tablet, safePoint);
                } finally {
                    tablet.instance().release();
                }
            }
        }
    }

    /** Rows that {@link #collectGarbage} has dropped. */
    public long garbageRowsDropped() {
        return garbage.rowsDropped();
    }

    /**
     * Names regions whose tablets have been closed here and hold values that have ended since: they
     * are to be opened for {@link #collectGarbage}. One is forgotten when {@code wake} says that it
     * is not this store's any more.
     */
    public void wakeEnded(LongPredicate wake) {
        long nowSeconds = clock.wallMillis() / 1000;
        endings.forEach(
                (regionId, endsAt) -> {
                    if (endsAt <= nowSeconds && !wake.test(regionId)) {
                        endings.remove(regionId, endsAt);
                    }
                });
    }

    /** What has been read and what had to wait for it, since this store was opened. */
    public TabletStats stats() {
        long files = 0;
        long missing = 0;
        for (RocksTablet tablet : open) {
            files += tablet.files().count();
            missing += tablet.files().missing().size();
        }
        return new TabletStats(
                open.size(),
                files,
                missing,
                reads.reads(),
                reads.waits(),
                reads.waitedNanos(),
                granules.tables(),
                granules.reads(),
                granules.misses(),
                granules.holes());
    }

    @Override
    public void close() {
        cache.onPressure(() -> {});
        hydrations.shutdownNow();
        compactions.shutdownNow();
        evictions.shutdownNow();
        await(evictions);
        await(hydrations);
        await(compactions);
        shared.close();
        workspace.close();
    }

    private static void await(ExecutorService pool) {
        try {
            if (!pool.awaitTermination(LONGEST_TASK.toSeconds(), TimeUnit.SECONDS)) {
                log.warn("a background task of the tablets does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
