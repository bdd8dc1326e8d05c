package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.time.Clock;
import java.util.concurrent.atomic.LongAdder;

/** Counts point reads of all tablets and those that had to wait for objects. Thread-safe. */
final class ReadCounters {
    private final Clock clock;
    private final LongAdder reads = new LongAdder();
    private final LongAdder waits = new LongAdder();
    private final LongAdder waitedNanos = new LongAdder();

    ReadCounters(Clock clock) {
        this.clock = clock;
    }

    void read() {
        reads.increment();
    }

    long begin() {
        return clock.monotonicNanos();
    }

    /** A read, or a step of a scan, has waited since {@code begin}. */
    void waited(long begin) {
        waits.increment();
        waitedNanos.add(clock.monotonicNanos() - begin);
    }

    long reads() {
        return reads.sum();
    }

    long waits() {
        return waits.sum();
    }

    long waitedNanos() {
        return waitedNanos.sum();
    }
}
