package io.tidekv.wal.service;

import java.time.Duration;

/**
 * Bounds of the service.
 *
 * @param queuedBytesMax requests that wait for the writer; beyond it they are refused
 * @param markDelay idle time after which a mark is written behind the last batch
 */
public record ServiceOptions(long queuedBytesMax, Duration markDelay) {
    /** What one sync covers at most, so that responses do not wait for a whole flood. */
    static final int ROUND_BYTES_MAX = 8 << 20;

    /** A round of no more requests is a light one: if it has no more bytes, and was quick. */
    static final int LIGHT_REQUESTS = 4;

    static final int LIGHT_BYTES = 16 << 10;

    static final long LIGHT_NANOS = 5_000_000;

    /** Light rounds are followed by maintenance at most so often; other rounds always are. */
    static final long TIDY_PAUSE_NANOS = 5_000_000;

    /** What one round moves out of old segments. */
    static final int MOVED_BYTES_MAX = 1 << 20;

    /** What one tick reads of segments that the start has not read. */
    static final int VERIFIED_BYTES_MAX = 8 << 20;

    static final Duration TICK = Duration.ofSeconds(1);

    /** Owners of regions with entries in segments before these are asked to publish them. */
    static final int SEGMENTS_HELD_MAX = 4;

    /** The pause before they are asked again. */
    static final Duration ASK_PAUSE = Duration.ofSeconds(10);
}
