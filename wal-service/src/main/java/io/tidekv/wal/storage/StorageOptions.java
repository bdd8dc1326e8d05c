package io.tidekv.wal.storage;

/**
 * Sizes in bytes.
 *
 * @param segmentBytes a segment that has reached this size is followed by a new one
 * @param reservedBytes free space below which entries are refused; half of it stays usable for
 *     metas, whose snapshots are what frees space
 */
public record StorageOptions(long segmentBytes, long reservedBytes) {}
