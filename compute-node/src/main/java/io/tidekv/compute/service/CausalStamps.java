package io.tidekv.compute.service;

import io.tidekv.common.time.Clock;
import io.tidekv.compute.pd.TimestampSource;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Timestamps of raw writes in API V2: each is greater than that of every write of the region that
 * was acknowledged before, by this store or by an earlier owner. Fetched from PD many at a time.
 *
 * <p>Within a store they only rise. What an earlier owner has used it had fetched before its term
 * ended, so a region's first write in a term waits for timestamps that were asked for in that term.
 * Thread-safe.
 */
final class CausalStamps {
    private static final int RANGE = 256;

    /** Older ones are not used: a timestamp says about when the write was. */
    private static final long AGE_NANOS = Duration.ofSeconds(1).toNanos();

    private final TimestampSource source;
    private final Clock clock;

    // All below is guarded by this.
    private final Map<Long, Fresh> regions = new HashMap<>();
    private long next;
    private long last = -1;
    private long receivedNanos;
    private long begun;
    private long received;
    private @Nullable CompletableFuture<Void> fetching;

    /** Which fetch must have been received before a region may write in a term. */
    private record Fresh(long term, long fetch) {}

    CausalStamps(TimestampSource source, Clock clock) {
        this.source = source;
        this.clock = clock;
    }

    /** The timestamp of a write to a region that this store leads in {@code term}. */
    CompletableFuture<Long> next(long region, long term) {
        CompletableFuture<Void> more;
        synchronized (this) {
            Fresh fresh = regions.get(region);
            if (fresh == null || fresh.term < term) {
                fresh = new Fresh(term, begun + 1);
                regions.put(region, fresh);
            }
            boolean young = clock.monotonicNanos() - receivedNanos < AGE_NANOS;
            if (next <= last && young && received >= fresh.fetch) {
                return CompletableFuture.completedFuture(next++);
            }
            more = fetch();
        }
        return more.thenCompose(done -> next(region, term));
    }

    /** Joins the fetch under way or begins one. Called with the lock held. */
    private CompletableFuture<Void> fetch() {
        if (fetching != null) {
            return fetching;
        }
        long number = ++begun;
        CompletableFuture<Void> done = new CompletableFuture<>();
        fetching = done;
        source.range(RANGE)
                .whenComplete(
                        (range, error) -> {
                            synchronized (this) {
                                fetching = null;
                                if (error == null) {
                                    received = number;
                                    next = Math.max(range.first(), next);
                                    last = range.last();
                                    receivedNanos = clock.monotonicNanos();
                                }
                            }
                            if (error == null) {
                                done.complete(null);
                            } else {
                                done.completeExceptionally(error);
                            }
                        });
        return done;
    }
}
