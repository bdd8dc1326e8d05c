package io.tidekv.wal.storage;

/**
 * Sizes in bytes.
 *
 * @param segmentBytes a segment that has reached this size is followed by a new one
 * @param reservedBytes free space below which entries are refused; half of it stays usable for
 *     metas, whose snapshots are what frees space
 * @param largeBytes a batch of so many bytes is written past the cache of the file system
 */
public record StorageOptions(long segmentBytes, long reservedBytes, int largeBytes) {
    private static final long AHEAD_BYTES_MAX = 1L << 20;
    private static final int LARGE_BYTES = 64 << 10;

    /** With the usual size of a large batch. */
    public StorageOptions(long segmentBytes, long reservedBytes) {
        this(segmentBytes, reservedBytes, LARGE_BYTES);
    }

    /** Zeros that are written ahead of the log, a multiple of the block size; may be 0. */
    long aheadBytes() {
        return Math.min(AHEAD_BYTES_MAX, segmentBytes / 4) & -SegmentHeader.BLOCK;
    }
}
