package io.tidekv.compute.region.core;

/**
 * Bounds and durations of a leader.
 *
 * @param leaseMs how long a voter refuses other owners after an acknowledgement
 * @param driftMs how much of it is given away for clocks that run unevenly; also the most by which
 *     wall clock and monotonic clock may disagree over a lease
 * @param renewMs pause between renewals of a session
 * @param retryMs pause before a refused Open or an overloaded voter is tried again
 * @param failedRetryMs pause before a voter with a failed or full disk is tried again
 * @param windowBytes entries held in memory; proposals are refused beyond
 * @param appendBytes target size of one Append; a larger entry travels alone
 * @param inFlightBytes entries under way to one voter
 * @param readBytes size of one Read of entries that are not in memory
 * @param partBytes an entry that is larger goes into the log in parts of this size
 */
public record LeaderOptions(
        long leaseMs,
        long driftMs,
        long renewMs,
        long retryMs,
        long failedRetryMs,
        long windowBytes,
        long appendBytes,
        long inFlightBytes,
        long readBytes,
        int partBytes) {

    /** Parts of the usual size. */
    public LeaderOptions(
            long leaseMs,
            long driftMs,
            long renewMs,
            long retryMs,
            long failedRetryMs,
            long windowBytes,
            long appendBytes,
            long inFlightBytes,
            long readBytes) {
        this(
                leaseMs,
                driftMs,
                renewMs,
                retryMs,
                failedRetryMs,
                windowBytes,
                appendBytes,
                inFlightBytes,
                readBytes,
                1 << 20);
    }

    /** What a store runs with unless told otherwise. */
    public static LeaderOptions defaults() {
        return new LeaderOptions(1200, 100, 400, 50, 500, 64L << 20, 1L << 20, 4L << 20, 4L << 20);
    }
}
