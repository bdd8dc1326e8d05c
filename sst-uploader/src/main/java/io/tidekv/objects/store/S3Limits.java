package io.tidekv.objects.store;

import java.time.Duration;

/**
 * Sizes and times of the {@code s3:} store.
 *
 * @param callTime a call with its retries may take, without its bytes
 * @param attemptTime one attempt may take, without its bytes
 * @param slowestBytesPerSecond a transfer that is slower is given up
 * @param multipartBytes files from this length on are sent in parts
 */
record S3Limits(
        Duration callTime,
        Duration attemptTime,
        long slowestBytesPerSecond,
        long multipartBytes,
        int partBytes) {
    static final S3Limits DEFAULT =
            new S3Limits(
                    Duration.ofSeconds(15), Duration.ofSeconds(8), 1 << 20, 64L << 20, 16 << 20);

    /** For objects whose length is not known before the answer. */
    long expectedBytes() {
        return multipartBytes;
    }

    Duration callDeadline(long bytes) {
        return callTime.plus(transfer(bytes));
    }

    Duration attempt(Duration remaining, long bytes) {
        Duration whole = attemptTime.plus(transfer(bytes));
        Duration left = remaining.compareTo(whole) < 0 ? remaining : whole;
        return left.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : left;
    }

    private Duration transfer(long bytes) {
        return Duration.ofMillis(bytes * 1000 / slowestBytesPerSecond);
    }
}
