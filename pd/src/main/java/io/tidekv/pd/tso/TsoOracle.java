package io.tidekv.pd.tso;

import io.tidekv.common.Invariants;

/**
 * Counts timestamps below a bound that is durable. A timestamp is milliseconds of wall clock, and
 * below them 18 bits of counter; when the clock stands still or goes back, the counter goes on and
 * carries into the milliseconds. Not thread-safe.
 */
final class TsoOracle {
    static final int LOGICAL_BITS = 18;
    static final int COUNT_MAX = (1 << LOGICAL_BITS) - 1;

    /** What {@link #allocate} answers when the bound is in the way. */
    static final long NEEDS_BOUND = -1;

    /** How far ahead the bound is set. */
    static final long WINDOW_MILLIS = 3_000;

    private long physical;
    private long logical;
    private long bound;

    /**
     * Begins a reign: everything below {@code durableBound} may have been given out by others. The
     * bound must be extended before anything can be allocated.
     */
    void begin(long durableBound) {
        physical = durableBound;
        logical = 0;
        bound = durableBound;
    }

    /** The last of {@code count} new timestamps in a row, or {@link #NEEDS_BOUND}. */
    long allocate(int count, long wallMillis) {
        Invariants.check(count > 0 && count <= COUNT_MAX, "cannot count %d timestamps", count);
        long millis = Math.max(physical, wallMillis);
        long last = millis > physical ? count : logical + count;
        if (last > COUNT_MAX) {
            millis++;
            last = count;
        }
        if (millis >= bound) {
            return NEEDS_BOUND;
        }
        physical = millis;
        logical = last;
        return millis << LOGICAL_BITS | last;
    }

    /** True when the bound should be extended ahead of need. */
    boolean nearBound(long wallMillis) {
        return Math.max(physical, wallMillis) + WINDOW_MILLIS / 2 >= bound;
    }

    /** The bound to ask for. */
    long wantedBound(long wallMillis) {
        return Math.max(physical + 1, wallMillis) + WINDOW_MILLIS;
    }

    /** The bound has become durable. */
    void extended(long durableBound) {
        bound = Math.max(bound, durableBound);
    }
}
