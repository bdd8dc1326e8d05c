package io.tidekv.wal.core;

/** Arithmetic of lease times on a monotonic clock whose origin means nothing. */
final class Leases {
    /** Longer ones are refused: a mistyped lease would lock a region up. */
    static final long LEASE_MS_MAX = 60_000;

    private Leases() {}

    static long nanos(long ms) {
        return ms * 1_000_000L;
    }

    /** Whole milliseconds, rounded up, 0 when negative. */
    static long msUp(long nanos) {
        return nanos <= 0 ? 0 : (nanos + 999_999L) / 1_000_000L;
    }

    static long later(long a, long b) {
        return a - b >= 0 ? a : b;
    }
}
