package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.time.Clock;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Waits for something that can only be polled: often at first, up to every 20 ms later. One wait,
 * one thread.
 */
final class Waiter {
    private static final long FIRST_NANOS = 200_000;
    private static final long LONGEST_NANOS = 20_000_000;

    private final Clock clock;
    private final long deadline;
    private long pause = FIRST_NANOS;

    Waiter(Clock clock, Duration longest) {
        this.clock = clock;
        this.deadline = clock.monotonicNanos() + longest.toNanos();
    }

    boolean isOver() {
        return clock.monotonicNanos() - deadline >= 0 || Thread.currentThread().isInterrupted();
    }

    void pause() {
        LockSupport.parkNanos(pause);
        pause = Math.min(LONGEST_NANOS, pause + pause / 2);
    }
}
