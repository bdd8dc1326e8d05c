package io.tidekv.compute.region;

/**
 * When a tablet that could not be opened is tried again: soon, then more slowly, then not here any
 * more. Most failures are an object store that is away for a moment.
 */
final class OpeningRetry {
    private static final long[] PAUSES_MS = {200, 500, 1000, 2000, 4000};

    private int failures;
    private boolean waiting;
    private long dueNanos;

    void started() {
        waiting = false;
    }

    /** Counts a failure; false when it was one too many. */
    boolean again(long nowNanos) {
        if (failures == PAUSES_MS.length) {
            return false;
        }
        dueNanos = nowNanos + PAUSES_MS[failures++] * 1_000_000;
        waiting = true;
        return true;
    }

    boolean isDue(long nowNanos) {
        return waiting && nowNanos - dueNanos >= 0;
    }
}
