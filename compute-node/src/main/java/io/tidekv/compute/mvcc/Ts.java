package io.tidekv.compute.mvcc;

/** Timestamps: unsigned 64 bits, physical milliseconds above 18 logical bits. */
public final class Ts {
    /** Above every real timestamp: reads the newest data. */
    public static final long MAX = -1L;

    private static final int LOGICAL_BITS = 18;

    private Ts() {}

    public static boolean less(long left, long right) {
        return Long.compareUnsigned(left, right) < 0;
    }

    public static boolean atMost(long left, long right) {
        return Long.compareUnsigned(left, right) <= 0;
    }

    public static long max(long left, long right) {
        return less(left, right) ? right : left;
    }

    /** Milliseconds since the epoch. */
    public static long physical(long ts) {
        return ts >>> LOGICAL_BITS;
    }

    /** The first timestamp of a millisecond since the epoch. */
    public static long compose(long physicalMillis) {
        return physicalMillis << LOGICAL_BITS;
    }

    /**
     * The time at which a lock of this start and ttl ends; the largest number when it would
     * overflow.
     */
    public static long expiry(long startTs, long ttlMs) {
        long end = physical(startTs) + ttlMs;
        return less(end, ttlMs) ? Ts.MAX : end;
    }
}
