package io.tidekv.objects.gc;

/**
 * What one cycle of the collector has found and done.
 *
 * @param dryRun nothing was written or deleted
 * @param liveFiles table files and packs that stay, with {@code liveBytes}
 * @param packedBytes garbage in packs that stay for others that are needed
 * @param inFlight files that no record names and that an owner may still publish
 * @param garbage dead objects found, with {@code garbageBytes}
 * @param listed of them, newly put on a deletion list
 * @param deleted objects deleted, with {@code deletedBytes}
 * @param unsettledRegions whose owners have not said what they need: all their records count
 * @param stoppedBy why the cycle ended early; empty when it did not
 */
public record CollectReport(
        long startedMillis,
        long finishedMillis,
        boolean dryRun,
        int liveRecords,
        int liveFiles,
        long liveBytes,
        long packedBytes,
        int inFlight,
        int garbage,
        long garbageBytes,
        int listed,
        int deleted,
        long deletedBytes,
        int unsettledRegions,
        String stoppedBy) {
    /** Before the first cycle. */
    public static final CollectReport NONE =
            new CollectReport(0, 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "");

    static CollectReport of(
            Garbage found, boolean dryRun, int listed, int deleted, long deletedBytes) {
        return new CollectReport(
                0,
                0,
                dryRun,
                found.liveRecords(),
                found.liveFiles(),
                found.liveBytes(),
                found.packedBytes(),
                found.inFlight(),
                found.dead().size(),
                found.bytes(),
                listed,
                deleted,
                deletedBytes,
                found.unsettled(),
                "");
    }

    CollectReport at(long started, long finished) {
        return new CollectReport(
                started,
                finished,
                dryRun,
                liveRecords,
                liveFiles,
                liveBytes,
                packedBytes,
                inFlight,
                garbage,
                garbageBytes,
                listed,
                deleted,
                deletedBytes,
                unsettledRegions,
                stoppedBy);
    }

    /** A cycle that did not get far. */
    public static CollectReport stopped(long started, long finished, boolean dry, String reason) {
        return new CollectReport(started, finished, dry, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, reason);
    }
}
