package io.tidekv.wal.client;

import io.tidekv.common.Randomness;
import java.time.Duration;

/** Growing pauses between attempts, spread so that many clients do not return at once. */
final class BackOff {
    private static final long FIRST_MS = 50;
    private static final long LONGEST_MS = 1000;

    private final Randomness randomness;
    private long nextMs = FIRST_MS;

    BackOff(Randomness randomness) {
        this.randomness = randomness;
    }

    /** The next pause: half to all of a time that doubles from 50 ms to 1 s. */
    Duration next() {
        long ms = nextMs / 2 + randomness.nextLong(0, nextMs / 2 + 1);
        nextMs = Math.min(LONGEST_MS, nextMs * 2);
        return Duration.ofMillis(ms);
    }

    void reset() {
        nextMs = FIRST_MS;
    }
}
