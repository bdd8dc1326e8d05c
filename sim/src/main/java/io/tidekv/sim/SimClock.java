package io.tidekv.sim;

import io.tidekv.common.time.Clock;

/**
 * The clocks of one process. The monotonic one runs a little fast or slow and stands still while
 * the machine is paused; the wall clock runs with true time, but may be set.
 */
final class SimClock implements Clock {
    private final Sim sim;
    private final double rate;
    private double monotonicNanos;
    private long seenNanos;
    private long wallOffsetNanos;
    private boolean stopped;

    SimClock(Sim sim, double rate) {
        this.sim = sim;
        this.rate = rate;
        this.monotonicNanos = sim.between(0, 1_000_000 * Sim.MS);
        this.seenNanos = sim.nowNanos();
        this.wallOffsetNanos = 1_700_000_000_000L * Sim.MS + sim.between(-Sim.MS, Sim.MS) * 500;
    }

    @Override
    public long monotonicNanos() {
        advance();
        return (long) monotonicNanos;
    }

    @Override
    public long wallMillis() {
        return Math.floorDiv(sim.nowNanos() + wallOffsetNanos, Sim.MS);
    }

    private void advance() {
        if (!stopped) {
            monotonicNanos += (sim.nowNanos() - seenNanos) * rate;
        }
        seenNanos = sim.nowNanos();
    }

    /** The machine is paused: the monotonic clock sees nothing of it. */
    void stop() {
        advance();
        stopped = true;
    }

    void go() {
        advance();
        stopped = false;
    }

    void jumpWall(long nanos) {
        wallOffsetNanos += nanos;
    }
}
