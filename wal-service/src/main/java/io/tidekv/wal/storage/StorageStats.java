package io.tidekv.wal.storage;

/**
 * The storage at one moment.
 *
 * @param liveBytes of the segments, what is still needed
 */
public record StorageStats(
        long segments, long segmentBytes, long liveBytes, long syncs, long batches, long full) {}
