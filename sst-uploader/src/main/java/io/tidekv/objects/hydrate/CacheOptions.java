package io.tidekv.objects.hydrate;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Settings of an {@link SstCache}.
 *
 * @param folder where the files are; belongs to this cache alone
 * @param bytesMax files beyond it are evicted, least recently used first; those in use stay, so the
 *     cache can be larger for a while
 * @param fetchesMax fetches at one time
 * @param fetchDeadline how long a fetch is tried while the store is down
 * @param idleMin a file that was asked for within this time is not evicted
 */
public record CacheOptions(
        Path folder, long bytesMax, int fetchesMax, Duration fetchDeadline, Duration idleMin) {
    public static CacheOptions of(Path folder, long bytesMax) {
        return new CacheOptions(folder, bytesMax, 8, Duration.ofSeconds(10), Duration.ofSeconds(5));
    }
}
