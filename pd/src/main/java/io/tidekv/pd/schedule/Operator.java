package io.tidekv.pd.schedule;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * An order that takes several steps. Kept in memory only: when another PD leads, whoever asked is
 * told so and asks again.
 */
abstract class Operator {
    /** How an operator stands, named as PD's clients know it. */
    enum Status {
        RUNNING,
        SUCCESS,
        TIMEOUT,
        CANCEL
    }

    final long regionId;
    final String description;
    final long deadlineNanos;

    /** Completes with the gap in service in milliseconds (0 where there is none). */
    final CompletableFuture<Long> done = new CompletableFuture<>();

    Operator(long regionId, String description, long deadlineNanos) {
        this.regionId = regionId;
        this.description = description;
        this.deadlineNanos = deadlineNanos;
    }

    /** Looks at how far it has come and repeats the order if needed. */
    abstract Status step(ClusterView view, Sessions sessions, long nowNanos);

    /** What it has not reached, for the error at the deadline. */
    abstract String waitsFor();

    /** Why it was given up, if whoever asked must know; null: for no reason of its own. */
    @Nullable OrderException refusal() {
        return null;
    }

    /** True for what PD does of itself: an order that somebody has given takes its place. */
    boolean yields() {
        return description.equals(Balancer.BALANCE) || description.equals(Balancer.DRAIN);
    }

    /** Store that the region's next owner should be, or 0. */
    long wantedStore() {
        return 0;
    }

    long gapMillis() {
        return 0;
    }
}
