package io.tidekv.wal.archive;

import java.time.Duration;

/**
 * How the log is archived.
 *
 * @param interval a segment that holds anything is closed after this time
 * @param retention what is older is deleted; zero: nothing is
 * @param partBytes what is in memory at a time, about
 */
public record ArchiveOptions(Duration interval, Duration retention, long partBytes) {
    /** Of the format's description. */
    public static final long PART_BYTES = 8 << 20;
}
