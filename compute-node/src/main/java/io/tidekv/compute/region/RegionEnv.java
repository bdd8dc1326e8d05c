package io.tidekv.compute.region;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.compute.pd.PdLink;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.region.Owner;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What the regions of a store share.
 *
 * @param apiMode of the cluster: 1 = V1, 2 = V1TTL, 3 = V2
 * @param openers runs openings and closings of tablets
 * @param publishers runs flushes and uploads
 * @param tabletsOpen tablets that are not closed yet
 * @param compactions workers that compact for the regions
 * @param assignments takes regions that begin here by a split
 */
record RegionEnv(
        long clusterId,
        Owner owner,
        int apiMode,
        StoreOptions options,
        Clock clock,
        Scheduler scheduler,
        TabletStore tablets,
        PdLink pd,
        ExecutorService openers,
        ExecutorService publishers,
        Budget budget,
        AtomicInteger tabletsOpen,
        Directory directory,
        RegionMetrics metrics,
        StoreEvents events,
        CompactionBoard compactions,
        BiConsumer<Assign, @Nullable WarmTablet> assignments) {

    /**
     * Opens a region here as if PD had ordered it, with the tablet that is open for it already, or
     * null. Thread-safe.
     */
    void assign(Assign order, @Nullable WarmTablet warm) {
        assignments.accept(order, warm);
    }

    /** Closes a tablet that nobody uses any more, on the pool. */
    void close(Tablet tablet) {
        Runnable closing =
                () -> {
                    try {
                        tablet.close();
                    } finally {
                        tabletsOpen.decrementAndGet();
                    }
                };
        try {
            openers.execute(closing);
        } catch (RejectedExecutionException e) {
            closing.run();
        }
    }

    /** Waits for a moment, on a thread that may. */
    void pause() {
        CompletableFuture<Void> moment = new CompletableFuture<>();
        scheduler.after(Duration.ofMillis(20), () -> moment.complete(null));
        moment.orTimeout(1, TimeUnit.SECONDS).exceptionally(late -> null).join();
    }

    long nowNanos() {
        return clock.monotonicNanos();
    }
}
