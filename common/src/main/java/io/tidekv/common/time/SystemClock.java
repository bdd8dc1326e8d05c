package io.tidekv.common.time;

import io.tidekv.common.SuppressForbidden;

/** The machine's clocks. */
@SuppressForbidden("the one place where the system clocks are read")
public enum SystemClock implements Clock {
    INSTANCE;

    @Override
    public long monotonicNanos() {
        return System.nanoTime();
    }

    @Override
    public long wallMillis() {
        return System.currentTimeMillis();
    }
}
