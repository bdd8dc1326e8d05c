package io.tidekv.compute.compaction;

import io.prometheus.metrics.core.metrics.Counter;
import io.tidekv.common.Threads;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Scheduler;
import io.tidekv.objects.backup.PdOwners;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.manifest.ObjectKeys;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.worker.WorkerConfig;
import io.tidekv.proto.compaction.CompactionDone;
import io.tidekv.proto.compaction.CompactionFailed;
import io.tidekv.proto.compaction.CompactionJob;
import io.tidekv.proto.compaction.WorkerMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts for the stores of a cluster: finds them through PD, asks each for a job, and does as
 * many at a time as it has been told; what comes beyond is declined at once. It changes nothing but
 * to upload files, and may end at any moment. Thread-safe.
 */
public final class CompactionWorker implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CompactionWorker.class);
    private static final Duration REFRESH = Duration.ofSeconds(5);
    private static final Duration LONGEST_STEP = Duration.ofSeconds(15);
    private static final int QUEUED_MAX = 100;

    private final ObjectStore store;
    private final WorkerConfig config;
    private final StoreContext context;
    private final PdOwners pd;
    private final Semaphore slots;
    private final ExecutorService jobs;
    private final ExecutorService refreshes = Threads.pool("compact-find", 1, 1);
    private final Map<String, StoreLink> links = new ConcurrentHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Scheduler.Cancellable timer;
    private final Counter outcomes;
    private final Counter bytes;
    private volatile @Nullable CompactionWorkshop workshop;

    private CompactionWorker(
            ObjectStore store,
            WorkerConfig config,
            Scheduler timers,
            StoreContext context,
            Metrics metrics) {
        this.store = store;
        this.config = config;
        this.context = context;
        this.pd = new PdOwners(config.gc().pd(), context.randomness());
        this.slots = new Semaphore(config.compaction().jobs());
        this.jobs = Threads.pool("compact-job", config.compaction().jobs(), QUEUED_MAX);
        this.outcomes =
                metrics.counter(
                        "tidekv_compaction_jobs_total",
                        "Compactions that stores have given to this worker, by outcome.",
                        "outcome");
        this.bytes =
                metrics.counter(
                        "tidekv_compaction_uploaded_bytes_total",
                        "Table files that this worker has written for stores.");
        this.timer = timers.every(REFRESH, this::refreshSoon);
        refreshSoon();
    }

    /**
     * Begins to look for stores.
     *
     * @param store all clusters' view of the object store; must stay open
     */
    public static CompactionWorker start(
            ObjectStore store,
            WorkerConfig config,
            Scheduler timers,
            StoreContext context,
            Metrics metrics) {
        return new CompactionWorker(store, config, timers, context, metrics);
    }

    private void refreshSoon() {
        try {
            refreshes.execute(this::refresh);
        } catch (RejectedExecutionException e) {
            // The one before is still at it, or this is the end.
            log.debug("not looking for stores now");
        }
    }

    private void refresh() {
        try {
            long clusterId = pd.clusterId();
            if (workshop == null) {
                workshop = workshop(clusterId);
            }
            List<String> addresses = pd.stores();
            links.values().removeIf(link -> link.isOver() || !isKept(link, addresses));
            for (String address : addresses) {
                links.computeIfAbsent(address, at -> StoreLink.open(at, clusterId, this::take));
            }
            if (closed.get()) {
                links.values().forEach(StoreLink::close);
            }
        } catch (CollectionStopped e) {
            log.info("no stores to compact for: {}", e.getMessage());
        } catch (RuntimeException e) {
            log.warn("cannot look for stores to compact for", e);
        }
    }

    private static boolean isKept(StoreLink link, List<String> addresses) {
        boolean kept = addresses.contains(link.address());
        if (!kept) {
            link.close();
        }
        return kept;
    }

    private CompactionWorkshop workshop(long clusterId) {
        WorkerConfig.Compaction settings = config.compaction();
        return new CompactionWorkshop(
                store.under(ObjectKeys.cluster(clusterId)),
                clusterId,
                settings.folder().isEmpty() ? null : Path.of(settings.folder()),
                settings.diskLimit().bytes(),
                context);
    }

    /** A store has given this worker a job. Must not block. */
    private void take(StoreLink link, CompactionJob job) {
        CompactionWorkshop place = workshop;
        if (place == null || !slots.tryAcquire()) {
            answer(link, job, "the worker is busy", "declined");
            return;
        }
        try {
            jobs.execute(() -> run(place, link, job));
        } catch (RejectedExecutionException e) {
            slots.release();
            answer(link, job, "the worker ends", "declined");
        }
    }

    private void run(CompactionWorkshop place, StoreLink link, CompactionJob job) {
        try {
            CompactionDone done = place.run(job);
            long written = 0;
            for (var output : done.getOutputsList()) {
                written += output.getSize();
            }
            outcomes.labelValues("done").inc();
            bytes.labelValues().inc(written);
            link.send(WorkerMessage.newBuilder().setDone(done).build());
            log.info(
                    "compacted {} files of region {} to {} of {} bytes",
                    done.getRemovedCount(),
                    job.getRegionId(),
                    done.getOutputsCount(),
                    written);
        } catch (RuntimeException e) {
            log.info("no compaction of region {}: {}", job.getRegionId(), e.toString());
            answer(link, job, String.valueOf(e.getMessage()), "failed");
        } finally {
            slots.release();
            links.values().forEach(StoreLink::ask);
        }
    }

    private void answer(StoreLink link, CompactionJob job, String reason, String outcome) {
        outcomes.labelValues(outcome).inc();
        link.send(
                WorkerMessage.newBuilder()
                        .setFailed(
                                CompactionFailed.newBuilder()
                                        .setJobId(job.getJobId())
                                        .setReason(reason))
                        .build());
    }

    /** Gives up what is under way. */
    @Override
    public void close() {
        closed.set(true);
        timer.cancel();
        refreshes.shutdownNow();
        links.values().forEach(StoreLink::close);
        jobs.shutdownNow();
        boolean ended = isOver(jobs) && isOver(refreshes);
        links.values().forEach(StoreLink::close);
        CompactionWorkshop last = workshop;
        if (ended && last != null) {
            last.close();
        }
        pd.close();
    }

    private static boolean isOver(ExecutorService pool) {
        try {
            return pool.awaitTermination(LONGEST_STEP.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
