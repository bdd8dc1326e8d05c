package io.tidekv.compute.tablet.garbage;

import io.tidekv.compute.raw.RawValues.RawValue;
import org.jspecify.annotations.Nullable;

/**
 * How many values end how far ahead, by powers of two of seconds: enough to say when another pass
 * pays. Belongs to one thread.
 */
final class Endings {
    /** A pass pays when one in so many of the values that end has ended. */
    private static final int SHARE = 8;

    private final long nowSeconds;
    private final long[] counts = new long[Long.SIZE + 1];
    private long total;

    Endings(long nowSeconds) {
        this.nowSeconds = nowSeconds;
    }

    /** A value, if it is one that ends; null has ended already. */
    void add(@Nullable RawValue value) {
        if (value != null && value.expireAt() != 0) {
            add(value.expireAt());
        }
    }

    /** A value ends at a second after now. */
    void add(long endSeconds) {
        counts[Long.SIZE - Long.numberOfLeadingZeros(Math.max(0, endSeconds - nowSeconds))]++;
        total++;
    }

    /** When a share of them has ended for certain; MAX_VALUE when there are none. */
    long dueSeconds() {
        long ended = 0;
        for (int power = 0; power < Long.SIZE - 1; power++) {
            ended += counts[power];
            if (ended > 0 && ended * SHARE >= total) {
                long ahead = 1L << power;
                return nowSeconds > Long.MAX_VALUE - ahead ? Long.MAX_VALUE : nowSeconds + ahead;
            }
        }
        return Long.MAX_VALUE;
    }
}
