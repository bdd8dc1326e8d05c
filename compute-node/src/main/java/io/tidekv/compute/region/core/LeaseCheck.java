package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/** Whether what voters promised still holds, by clocks that may drift, jump or have been paused. */
final class LeaseCheck {
    private static final long NANOS_PER_MS = 1_000_000L;

    private LeaseCheck() {}

    /**
     * Whether a promise that was asked for at {@code asked} holds at {@code now}. The voter
     * promised later than it was asked, so counting from then is on the safe side. Clocks that
     * disagree over the time since mean a pause that one of them did not see, or a changed wall
     * clock.
     */
    static boolean holds(LeaderOptions options, Clock.Reading asked, Clock.Reading now) {
        long driftNanos = options.driftMs() * NANOS_PER_MS;
        long monotonic = now.monotonicNanos() - asked.monotonicNanos();
        long wall = (now.wallMillis() - asked.wallMillis()) * NANOS_PER_MS;
        if (Math.abs(wall - monotonic) > driftNanos) {
            return false;
        }
        return Math.max(wall, monotonic) < options.leaseMs() * NANOS_PER_MS - driftNanos;
    }
}
