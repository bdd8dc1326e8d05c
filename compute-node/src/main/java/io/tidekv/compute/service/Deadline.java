package io.tidekv.compute.service;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.kvrpcpb.Context;
import java.time.Duration;

/** When a request must have been answered; work that has not begun by then is not begun. */
record Deadline(long atNanos) {
    /** For requests that name none: longer than any client waits. */
    private static final Duration DEFAULT = Duration.ofSeconds(60);

    private static final long MILLIS_MAX = Duration.ofHours(1).toMillis();

    static Deadline of(Context context, Clock clock) {
        long asked = context.getMaxExecutionDurationMs();
        long millis =
                asked == 0
                        ? DEFAULT.toMillis()
                        : asked < 0 || asked > MILLIS_MAX ? MILLIS_MAX : asked;
        return new Deadline(clock.monotonicNanos() + millis * 1_000_000L);
    }

    Duration left(Clock clock) {
        return Duration.ofNanos(Math.max(0, atNanos - clock.monotonicNanos()));
    }

    void check(Clock clock) {
        if (clock.monotonicNanos() - atNanos >= 0) {
            throw exceeded();
        }
    }

    static KvException exceeded() {
        return new KvException(new KvError.DeadlineExceeded("Deadline is exceeded"));
    }
}
