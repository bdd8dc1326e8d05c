package io.tidekv.wal.storage;

/** An open segment. */
final class Segment {
    final long number;
    final WalFile file;
    // End of what has been written; a multiple of the block size.
    long size;
    // Up to here zeros have been written ahead; less than the size when none have.
    long prepared;
    // Bytes of records that the index refers to.
    long live;
    // Its index was believed: nobody has read its bytes in this process.
    boolean unverified;
    long firstBatch;

    Segment(long number, WalFile file, long size) {
        this.number = number;
        this.file = file;
        this.size = size;
    }
}
