package io.tidekv.objects.worker;

import io.tidekv.common.Threads;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Settings;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Scheduler;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.objects.gc.CollectReport;
import io.tidekv.objects.store.MeteredObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.objects.store.StoreContext;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running {@code tidekv sst-uploader}. */
public final class WorkerServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(WorkerServer.class);

    private final WorkerConfig config;
    private final StoreContext context;
    private final ObjectStore store;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Metrics metrics = new Metrics();
    private final @Nullable StatusServer status;
    private final Thread scrubbing;
    private final ThreadScheduler timers = new ThreadScheduler("worker-timer");
    private final @Nullable CollectDuty collecting;
    private volatile @Nullable Scrubber running;
    private volatile ScrubReport last = ScrubReport.NONE;
    private final AtomicLong scrubs = new AtomicLong();

    private WorkerServer(WorkerConfig config, ObjectStore opened, StoreContext context)
            throws IOException {
        this.config = config;
        this.store = new MeteredObjectStore(opened, metrics, context.clock(), config.prices());
        this.context = context;
        defineMetrics();
        this.status = config.statusAddr().isEmpty() ? null : startStatus();
        this.scrubbing = Threads.start("scrub", this::scrubUntilClosed);
        this.collecting =
                config.gc().pd().isEmpty()
                        ? null
                        : CollectDuty.start(
                                store,
                                config.clusterId(),
                                config.gc(),
                                () -> true,
                                timers,
                                context,
                                metrics);
    }

    /**
     * Opens the store and begins to check it after a while. A store that cannot be reached yet is
     * no error: /status and /health tell.
     *
     * @throws IOException when the port is taken
     * @throws io.tidekv.objects.store.ObjectStoreException for a URI that names no store
     */
    public static WorkerServer start(WorkerConfig config) throws IOException {
        return start(config, StoreContext.system());
    }

    static WorkerServer start(WorkerConfig config, StoreContext context) throws IOException {
        ObjectStore store = ObjectStores.open(config.objectStore(), context);
        try {
            WorkerServer server = new WorkerServer(config, store, context);
            log.info("checking {} every {}", store.describe(), config.scrub().interval());
            return server;
        } catch (IOException e) {
            store.close();
            throw e;
        }
    }

    private StatusServer startStatus() throws IOException {
        return StatusServer.builder()
                .metrics(metrics)
                .config(() -> Settings.render(config))
                .status(this::status)
                .health(this::problem)
                .start(HostPort.parse(config.statusAddr()));
    }

    private Object status() {
        Scrubber current = running;
        return Map.of(
                "object_store",
                store.describe(),
                "scrubs",
                scrubs.get(),
                "last",
                last,
                "running",
                current == null ? ScrubReport.NONE : current.report(),
                "garbage",
                collecting == null ? CollectReport.NONE : collecting.last());
    }

    private void defineMetrics() {
        metrics.gauge("tidekv_scrub_runs", "Checks of the object store.", scrubs::get);
        metrics.gauge(
                "tidekv_scrub_records", "Records seen by the last check.", () -> last.records());
        metrics.gauge(
                "tidekv_scrub_objects",
                "Objects that records refer to, in the last check.",
                () -> last.objects());
        metrics.gauge(
                "tidekv_scrub_read_bytes",
                "Contents read by the last check.",
                () -> last.readBytes());
        metrics.gauge(
                "tidekv_scrub_damaged_regions",
                "Regions in which the last check found damage.",
                () -> last.damaged().size());
        metrics.gauge(
                "tidekv_scrub_damaged_records",
                "Records that the last check could not trust.",
                () -> last.damagedRecords());
        metrics.gauge(
                "tidekv_scrub_missing_objects",
                "Objects that are referred to and absent, in the last check.",
                () -> last.missingObjects());
        metrics.gauge(
                "tidekv_scrub_damaged_objects",
                "Objects with a wrong length or checksum, in the last check.",
                () -> last.damagedObjects());
    }

    private void scrubUntilClosed() {
        try {
            long pause = config.scrub().startDelay().toMillis();
            while (!closing.await(pause, TimeUnit.MILLISECONDS)) {
                Scrubber scrubber =
                        new Scrubber(
                                store,
                                config.clusterId(),
                                config.scrub().readRate().bytes(),
                                context);
                running = scrubber;
                last = scrubber.run();
                running = null;
                scrubs.incrementAndGet();
                logEnd(last);
                pause = config.scrub().interval().toMillis();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void logEnd(ScrubReport report) {
        log.info(
                "checked {} records and {} objects of {} regions: {} damaged records, {} missing"
                        + " and {} damaged objects",
                report.records(),
                report.objects(),
                report.regions(),
                report.damagedRecords(),
                report.missingObjects(),
                report.damagedObjects());
    }

    /** All clusters' view of the object store; closed with this. */
    public ObjectStore store() {
        return store;
    }

    public Metrics metrics() {
        return metrics;
    }

    public Scheduler timers() {
        return timers;
    }

    /** The port of the status pages; 0 when there are none. */
    public int statusPort() {
        return status == null ? 0 : status.port();
    }

    /** What the last complete check has found; zeros before the first. */
    public ScrubReport lastReport() {
        return last;
    }

    /** What a human should look at; empty when nothing. */
    public String problem() {
        ScrubReport report = last;
        if (!report.damaged().isEmpty()) {
            return report.damaged().size() + " regions have damaged or missing objects";
        }
        return report.stoppedBy();
    }

    /** Stops the check under way. */
    @Override
    public void close() {
        closing.countDown();
        scrubbing.interrupt();
        if (collecting != null) {
            collecting.close();
        }
        timers.close();
        if (status != null) {
            status.close();
        }
        store.close();
    }
}
