package io.tidekv.objects.restore;

import com.google.protobuf.ByteString;
import io.tidekv.objects.manifest.RecordRange;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import org.jspecify.annotations.Nullable;

/**
 * A state that a restored region may begin with.
 *
 * @param ref where the record is, or the one that the state was made from
 * @param storedMillis by the store's clock: the record's state is not later
 * @param replayed what of the log was applied to the record in {@code ref}; null: nothing
 */
record Candidate(
        TabletRecord record, ObjectRef ref, long storedMillis, @Nullable Replayed replayed) {
    static final String SPLIT = "split";
    static final String RESTORE = "restore";
    static final String MERGE = "merge";

    /**
     * Entries of the log that have been applied.
     *
     * @param entries how many, parts counted one by one; those of a parent are not counted
     * @param writtenMillis when the last one was, by the clocks of WAL nodes; 0: not known
     */
    record Replayed(long entries, long writtenMillis) {}

    Candidate(TabletRecord record, ObjectRef ref, long storedMillis) {
        this(record, ref, storedMillis, null);
    }

    /** Whether a neighbour has become part of it. */
    boolean hasMerged() {
        return record.getLineageList().stream().anyMatch(e -> e.getEvent().equals(MERGE));
    }

    /** Whether there is more than the log. */
    boolean hasRecord() {
        return !ref.getKey().isEmpty();
    }

    long regionId() {
        return record.getShape().getRegionId();
    }

    ByteString start() {
        return record.getShape().getStartKey();
    }

    /** Empty: no bound. */
    ByteString end() {
        return record.getShape().getEndKey();
    }

    long version() {
        return record.getShape().getVersion();
    }

    /** Until when it goes: by the store's clock, or that of a WAL node when the log says more. */
    long untilMillis() {
        return replayed == null ? storedMillis : Math.max(storedMillis, replayed.writtenMillis);
    }

    /** Whether it was made by a parent, for a split that may not have come about. */
    boolean isFirstOfSplit() {
        return record.getAppliedIndex() == 0 && began(SPLIT);
    }

    /** Whether it was made for a new cluster, which may not have been begun. */
    boolean isFirstOfRestore() {
        return record.getAppliedIndex() == 0 && began(RESTORE);
    }

    private boolean began(String event) {
        return record.getLineageCount() > 0 && origin().getEvent().equals(event);
    }

    /**
     * The region that the record is to take over, if it is one that was made for a merge and the
     * log has not been asked what came of that; else 0.
     */
    long mergedRegion() {
        return record.getUnreportedMergesList().stream()
                .filter(merge -> merge.getPrepareIndex() == 0)
                .mapToLong(merge -> merge.getShape().getRegionId())
                .findFirst()
                .orElse(0);
    }

    /** As if the merge had not been begun. */
    Candidate withoutMerge() {
        RegionShape before = record.getUnreportedMerges(0).getTarget();
        TabletRecord alone =
                RecordRange.within(record, before).toBuilder()
                        .setShape(before)
                        .removeLineage(record.getLineageCount() - 1)
                        .clearUnreportedMerges()
                        .build();
        return new Candidate(alone, ref, storedMillis, replayed);
    }

    /** The parent, and the entry of its log up to which this goes. */
    Lineage origin() {
        return record.getLineage(record.getLineageCount() - 1);
    }

    /** The plan by which the cluster began that wrote this; 0: none, or not known. */
    long plan() {
        long plan = 0;
        for (Lineage event : record.getLineageList()) {
            plan = event.getEvent().equals(RESTORE) ? event.getPlan() : plan;
        }
        return plan;
    }

    /** Whether this comes later in its region's log than another record of the region. */
    boolean isNewerThan(Candidate other) {
        int terms = Long.compareUnsigned(record.getTerm(), other.record.getTerm());
        return terms != 0
                ? terms > 0
                : Long.compareUnsigned(record.getSequence(), other.record.getSequence()) > 0;
    }
}
