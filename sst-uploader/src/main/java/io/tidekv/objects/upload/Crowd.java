package io.tidekv.objects.upload;

import io.tidekv.common.time.Clock;

/** Tells many in a second from few. Thread-safe. */
final class Crowd {
    private static final long SECOND = 1_000_000_000;

    private final Clock clock;
    private final int many;
    private long windowStart;
    private int now;
    private int before;

    Crowd(Clock clock, int many) {
        this.clock = clock;
        this.many = many;
        this.windowStart = clock.monotonicNanos();
    }

    /** Counts one more; says whether there are many, in this second or the one before. */
    synchronized boolean joins() {
        long age = clock.monotonicNanos() - windowStart;
        if (age >= SECOND) {
            before = age < 2 * SECOND ? now : 0;
            now = 0;
            windowStart += age / SECOND * SECOND;
        }
        now++;
        return Math.max(now, before) >= many;
    }
}
