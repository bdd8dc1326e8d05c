package io.tidekv.wal.storage;

/**
 * A full segment.
 *
 * @param length of its file
 */
public record SealedSegment(long number, long length) {}
