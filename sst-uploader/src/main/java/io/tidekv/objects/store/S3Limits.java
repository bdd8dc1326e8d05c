package io.tidekv.objects.store;

import java.time.Duration;

/**
 * Sizes and times of the {@code s3:} store.
 *
 * @param retryTime no attempt begins later than this after the first
 * @param attemptTime one attempt may take, without its bytes
 * @param slowestBytesPerSecond a transfer that is slower is given up
 * @param multipartBytes files from this length on are sent in parts
 */
record S3Limits(
        Duration retryTime,
        Duration attemptTime,
        long slowestBytesPerSecond,
        long multipartBytes,
        int partBytes) {
    static final S3Limits DEFAULT =
            new S3Limits(
                    Duration.ofSeconds(10), Duration.ofSeconds(8), 1 << 20, 64L << 20, 16 << 20);

    /** For objects whose length is not known before the answer. */
    long expectedBytes() {
        return multipartBytes;
    }

    /** How long an attempt at this many bytes may take. */
    Duration attempt(long bytes) {
        return attemptTime.plus(transfer(bytes));
    }

    private Duration transfer(long bytes) {
        return Duration.ofMillis(bytes * 1000 / slowestBytesPerSecond);
    }
}
