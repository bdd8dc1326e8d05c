package io.tidekv.compute.compaction;

import java.time.Duration;

/**
 * Which compactions a store leaves to workers.
 *
 * @param enabled whether it does at all
 * @param bytesMin compactions of less are done here
 * @param timeout one that is not done after so long is taken back
 */
public record CompactionOptions(boolean enabled, long bytesMin, Duration timeout) {
    public static final CompactionOptions DEFAULT =
            new CompactionOptions(true, 16L << 20, Duration.ofMinutes(5));
}
