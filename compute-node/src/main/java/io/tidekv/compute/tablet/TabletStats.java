package io.tidekv.compute.tablet;

/**
 * What the tablets of a process consist of and what reading them has cost since it started.
 *
 * @param tablets open ones
 * @param files table files in their records
 * @param missingFiles of these not on the local disk, or only in part
 * @param reads point reads
 * @param waits point reads, and steps of scans, that waited for objects
 * @param waitedNanos how long, summed over those side by side
 * @param partFiles files that are on the local disk in part
 * @param partReads reads of one key, or of a small range, that touched such files
 * @param partMisses of these, reads that had to fetch an end or a granule
 * @param partHoles reads that RocksDB refused because they came to what had not been fetched
 */
public record TabletStats(
        int tablets,
        long files,
        long missingFiles,
        long reads,
        long waits,
        long waitedNanos,
        long partFiles,
        long partReads,
        long partMisses,
        long partHoles) {}
