package io.tidekv.common.time;

import java.time.Duration;

/** Runs short tasks later. Implementations say on which thread. */
public interface Scheduler {
    /** Runs {@code task} once after {@code delay}, unless cancelled before. */
    Cancellable after(Duration delay, Runnable task);

    /**
     * Runs {@code task} again and again, {@code period} between the end of one run and the start of
     * the next.
     */
    Cancellable every(Duration period, Runnable task);

    /** A task that waits. Cancelling is idempotent and does not interrupt a run under way. */
    interface Cancellable {
        void cancel();
    }
}
