package io.tidekv.common.time;

import java.util.concurrent.atomic.AtomicLong;

/** A clock that moves only when told. Thread-safe. */
public final class ManualClock implements Clock {
    private final AtomicLong monotonicNanos = new AtomicLong(1_000_000_000L);
    private final AtomicLong wallMillis = new AtomicLong(1_700_000_000_000L);

    @Override
    public long monotonicNanos() {
        return monotonicNanos.get();
    }

    @Override
    public long wallMillis() {
        return wallMillis.get();
    }

    /** Moves both clocks on. */
    public void advanceMillis(long millis) {
        monotonicNanos.addAndGet(millis * 1_000_000L);
        wallMillis.addAndGet(millis);
    }

    /**
     * Moves the wall clock alone, in either direction, as an administrator or a paused machine
     * does.
     */
    public void jumpWallMillis(long millis) {
        wallMillis.addAndGet(millis);
    }
}
