package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Prepares regions for a copy of the cluster as of a timestamp that PD has given out. Thread-safe.
 *
 * <p>What commits at or below the timestamp and took its own from PD had been prewritten before.
 * What this store commits at a timestamp of its own choice lies above the highest that was read at,
 * so that is raised first; a prewrite that had chosen before is waited for. Then the leadership is
 * confirmed: later owners choose above a timestamp that they take from PD when they begin.
 */
public final class MomentService {
    private static final Duration AGAIN = Duration.ofMillis(10);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long BACKOFF_MS = 100;

    private final RegionAccess regions;
    private final Concurrency concurrency;
    private final TsLimit limit;
    private final Clock clock;
    private final Scheduler scheduler;

    MomentService(
            RegionAccess regions,
            Concurrency concurrency,
            TsLimit limit,
            Clock clock,
            Scheduler scheduler) {
        this.regions = regions;
        this.concurrency = concurrency;
        this.limit = limit;
        this.clock = clock;
        this.scheduler = scheduler;
    }

    /**
     * A region that is settled.
     *
     * @param shape as of the answer
     * @param record null unless it was to be published
     */
    public record Settled(RegionShape shape, @Nullable ObjectRef record) {}

    /**
     * Completes when nothing of the region can commit at or below {@code ts} any more of which the
     * region does not hold the lock or the commit record.
     *
     * @param publish also publishes that state
     */
    public CompletableFuture<Settled> settle(long regionId, long ts, boolean publish) {
        try {
            return limit.check(
                    ts,
                    () -> settle(regions.region(regionId), ts, publish),
                    error -> {
                        throw new KvException(new KvError.InvalidRequest(error.getAbort()));
                    });
        } catch (KvException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<Settled> settle(Region region, long ts, boolean publish) {
        concurrency.raise(ts);
        CompletableFuture<Void> written = new CompletableFuture<>();
        long deadline = clock.monotonicNanos() + PATIENCE.toNanos();
        awaitPrewrites(region.shape(), ts, deadline, written);
        CompletableFuture<Void> led = written.thenCompose(done -> region.confirm());
        return publish
                ? led.thenCompose(done -> region.publish())
                        .thenApply(record -> new Settled(region.shape(), record))
                : led.thenApply(done -> new Settled(region.shape(), null));
    }

    /** Waits for the prewrites that chose their timestamps before the highest one was raised. */
    private void awaitPrewrites(
            RegionShape shape, long ts, long deadline, CompletableFuture<Void> written) {
        ByteString end = shape.getEndKey();
        boolean underWay =
                concurrency.lockedIn(
                                shape.getStartKey().toByteArray(),
                                end.isEmpty() ? null : end.toByteArray(),
                                ts)
                        != null;
        if (!underWay) {
            written.complete(null);
        } else if (clock.monotonicNanos() - deadline < 0) {
            scheduler.after(AGAIN, () -> awaitPrewrites(shape, ts, deadline, written));
        } else {
            written.completeExceptionally(
                    new KvException(
                            new KvError.ServerIsBusy(
                                    "prewrites of region "
                                            + shape.getRegionId()
                                            + " are under way for long",
                                    BACKOFF_MS)));
        }
    }
}
