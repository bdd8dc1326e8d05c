package io.tidekv.objects.worker;

import io.tidekv.common.Threads;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Scheduler;
import io.tidekv.objects.backup.Backups;
import io.tidekv.objects.gc.CollectReport;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.gc.Collector;
import io.tidekv.objects.gc.GcOptions;
import io.tidekv.objects.gc.PdRoots;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.StoreContext;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Collects the garbage of one cluster now and then, on a thread that ends with each cycle. */
public final class CollectDuty implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CollectDuty.class);

    private final ObjectStore store;
    private final long clusterId;
    private final WorkerConfig.Gc settings;
    private final BooleanSupplier turn;
    private final StoreContext context;
    private final Scheduler.Cancellable timer;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final AtomicLong cycles = new AtomicLong();
    private final AtomicLong deletedObjects = new AtomicLong();
    private final AtomicLong deletedBytes = new AtomicLong();
    private volatile boolean closed;
    private volatile @Nullable Thread thread;
    private volatile CollectReport last = CollectReport.NONE;

    /** Kept from cycle to cycle for the records that it knows; used by one thread at a time. */
    private @Nullable Collector collector;

    private CollectDuty(
            ObjectStore store,
            long clusterId,
            WorkerConfig.Gc settings,
            BooleanSupplier turn,
            Scheduler timers,
            StoreContext context,
            Metrics metrics) {
        this.store = store;
        this.clusterId = clusterId;
        this.settings = settings;
        this.turn = turn;
        this.context = context;
        define(metrics);
        timer = timers.every(settings.interval(), this::begin);
    }

    /**
     * Begins; the first cycle comes after a pause.
     *
     * @param store all clusters' view of the object store; must stay open
     * @param clusterId 0: that of PD
     * @param turn asked before each cycle whether this process is to do it. Nothing depends on it
     *     but the number of requests: any number of collectors may work at once
     */
    public static CollectDuty start(
            ObjectStore store,
            long clusterId,
            WorkerConfig.Gc settings,
            BooleanSupplier turn,
            Scheduler timers,
            StoreContext context,
            Metrics metrics) {
        return new CollectDuty(store, clusterId, settings, turn, timers, context, metrics);
    }

    private void define(Metrics metrics) {
        metrics.gauge("tidekv_gc_cycles", "Collections of garbage.", cycles::get);
        metrics.gauge(
                "tidekv_gc_garbage_bytes",
                "Dead objects that wait for their deletion, in the last cycle.",
                () -> last.garbageBytes() - last.deletedBytes());
        metrics.gauge(
                "tidekv_gc_live_bytes", "Table files that are needed.", () -> last.liveBytes());
        metrics.gauge(
                "tidekv_gc_deleted_objects",
                "Objects deleted since the start.",
                deletedObjects::get);
        metrics.gauge(
                "tidekv_gc_deleted_bytes", "Bytes deleted since the start.", deletedBytes::get);
        metrics.gauge(
                "tidekv_gc_unsettled_regions",
                "Regions whose owner has not said what it needs, in the last cycle.",
                () -> last.unsettledRegions());
    }

    CollectReport last() {
        return last;
    }

    private void begin() {
        if (!closed && turn.getAsBoolean() && busy.compareAndSet(false, true)) {
            thread = Threads.start("collect", this::cycle);
        }
    }

    private void cycle() {
        long started = context.clock().wallMillis();
        try {
            Collector mine = collector;
            if (mine == null) {
                mine = collector(new PdRoots(settings.pd()));
                collector = mine;
            }
            last = mine.run(settings.dryRun());
            deletedObjects.addAndGet(last.deleted());
            deletedBytes.addAndGet(last.deletedBytes());
            log.info("garbage: {}", last);
        } catch (CollectionStopped | ObjectStoreException e) {
            String reason = String.valueOf(e.getMessage());
            long now = context.clock().wallMillis();
            last = CollectReport.stopped(started, now, settings.dryRun(), reason);
            log.warn("the collection of garbage did not get to its end: {}", reason);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            cycles.incrementAndGet();
            busy.set(false);
        }
    }

    private Collector collector(PdRoots roots) {
        long id = roots.clusterId();
        if (clusterId != 0 && clusterId != id) {
            throw new CollectionStopped(
                    "PD at " + settings.pd() + " belongs to cluster " + Long.toUnsignedString(id));
        }
        WorkerConfig.Gc gc = settings;
        GcOptions options =
                new GcOptions(gc.grace(), gc.margin(), gc.unknownAge(), gc.deletesPerSecond());
        ObjectStore cluster = store.under(ObjectKeys.cluster(id));
        Backups backups = new Backups(cluster, context.randomness());
        return new Collector(cluster, roots, backups::held, options, context);
    }

    /** Ends a cycle under way, at whatever step it is. */
    @Override
    public void close() {
        closed = true;
        timer.cancel();
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }
}
