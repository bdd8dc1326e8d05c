package io.tidekv.objects.worker;

import io.tidekv.common.Threads;
import io.tidekv.common.metrics.Metrics;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Collects garbage now and then, on a thread of its own. */
final class CollectDuty implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CollectDuty.class);

    private final ObjectStore store;
    private final WorkerConfig config;
    private final StoreContext context;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicLong cycles = new AtomicLong();
    private final AtomicLong deletedObjects = new AtomicLong();
    private final AtomicLong deletedBytes = new AtomicLong();
    private final Thread thread;
    private volatile CollectReport last = CollectReport.NONE;

    CollectDuty(ObjectStore store, WorkerConfig config, StoreContext context, Metrics metrics) {
        this.store = store;
        this.config = config;
        this.context = context;
        define(metrics);
        thread = Threads.start("collect", this::collectUntilClosed);
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

    private void collectUntilClosed() {
        PdRoots roots = new PdRoots(config.gc().pd());
        @Nullable Collector collector = null;
        try {
            while (!closing.await(config.gc().interval().toMillis(), TimeUnit.MILLISECONDS)) {
                long started = context.clock().wallMillis();
                try {
                    if (collector == null) {
                        collector = collector(roots);
                    }
                    last = collector.run(config.gc().dryRun());
                    deletedObjects.addAndGet(last.deleted());
                    deletedBytes.addAndGet(last.deletedBytes());
                    log.info("garbage: {}", last);
                } catch (CollectionStopped | ObjectStoreException e) {
                    String reason = String.valueOf(e.getMessage());
                    long now = context.clock().wallMillis();
                    last = CollectReport.stopped(started, now, config.gc().dryRun(), reason);
                    log.warn("the collection of garbage did not get to its end: {}", reason);
                }
                cycles.incrementAndGet();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Collector collector(PdRoots roots) {
        long clusterId = roots.clusterId();
        if (config.clusterId() != 0 && config.clusterId() != clusterId) {
            throw new CollectionStopped(
                    "PD at "
                            + config.gc().pd()
                            + " belongs to cluster "
                            + Long.toUnsignedString(clusterId));
        }
        WorkerConfig.Gc gc = config.gc();
        GcOptions options =
                new GcOptions(gc.grace(), gc.margin(), gc.unknownAge(), gc.deletesPerSecond());
        ObjectStore cluster = store.under(ObjectKeys.cluster(clusterId));
        Backups backups = new Backups(cluster, context.randomness());
        return new Collector(cluster, roots, backups::held, options, context);
    }

    @Override
    public void close() {
        closing.countDown();
        thread.interrupt();
    }
}
