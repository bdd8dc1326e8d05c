package io.tidekv.compute.grpc;

import java.util.function.LongSupplier;

/**
 * Figures that come down while the compiler works beside a test: what counts is what it gets to.
 */
final class Windows {
    private static final int MOST = 60;

    private Windows() {}

    /** The least of several windows, the last of which is the first that is small enough. */
    static long least(long enough, LongSupplier window) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < MOST && least > enough; i++) {
            least = Math.min(least, window.getAsLong());
        }
        return least;
    }
}
