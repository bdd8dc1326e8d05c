package io.tidekv.objects.gc;

import java.time.Duration;

/**
 * Limits of a collector.
 *
 * @param grace what is found dead stays for at least this long; readers of what has just been
 *     replaced finish in it
 * @param margin times of two objects in the store are only told apart when they differ by more
 * @param unknownAge objects of regions that nobody knows stay for at least this long
 * @param deletesPerSecond at most
 */
public record GcOptions(
        Duration grace, Duration margin, Duration unknownAge, int deletesPerSecond) {
    /** The shortest grace period that is allowed. */
    public static final Duration GRACE_MIN = Duration.ofMinutes(10);

    public static final GcOptions DEFAULT =
            new GcOptions(Duration.ofHours(1), Duration.ofMinutes(1), Duration.ofHours(24), 200);
}
