package io.tidekv.compute.tablet;

/**
 * What the tablets of a process consist of and what reading them has cost since it started.
 *
 * @param tablets open ones
 * @param files table files in their records
 * @param missingFiles of these not on the local disk
 * @param reads point reads
 * @param waits point reads, and steps of scans, that waited for objects
 * @param waitedNanos how long, summed over those side by side
 */
public record TabletStats(
        int tablets, long files, long missingFiles, long reads, long waits, long waitedNanos) {}
