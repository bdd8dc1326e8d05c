package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.MergeRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.RegionShape;
import java.util.List;

/**
 * The tablet of a merge that is being prepared: a record of both regions' files in the object
 * store, and a tablet opened at it, which follows what the target goes on to write. Used by one
 * thread at a time: a pool's, or the target's loop.
 */
final class MergedTablet {
    /** A region as it is drafted: its tablet, and in whose name it is published. */
    record Part(RegionShape shape, Tablet tablet, PublishRequest request) {}

    private final BesideTablet beside;
    private final long sourceIndex;

    private MergedTablet(BesideTablet beside, long sourceIndex) {
        this.beside = beside;
        this.sourceIndex = sourceIndex;
    }

    /**
     * Drafts both as they are, cuts their files where they meet, stores the record of both and
     * opens it. Blocks for two flushes and for uploads, while both serve.
     *
     * @param applied what the target had applied before the call
     */
    static MergedTablet make(
            RegionEnv env, Part target, AppliedMark applied, Part source, MergedRegion gone) {
        Publisher publisher = env.tablets().publisher();
        boolean below = MergeRecords.meets(source.shape, target.shape);
        ByteString border = below ? target.shape.getStartKey() : source.shape.getStartKey();
        TabletRecord mine = publisher.draft(target.tablet, target.request);
        TabletRecord theirs = publisher.draft(source.tablet, source.request);
        check(mine, target.shape);
        check(theirs, source.shape);
        TabletRecord record =
                MergeRecords.join(
                                publisher.cut(mine, border, !below, mine),
                                publisher.cut(theirs, border, below, mine),
                                MergeRecords.merged(target.shape, source.shape))
                        .toBuilder()
                        .addUnreportedMerges(gone)
                        .build();
        PreparedRecord prepared = new PreparedRecord(publisher.store(record), record);
        return new MergedTablet(
                BesideTablet.open(env, prepared, applied), theirs.getAppliedIndex());
    }

    /** Nothing of the kind goes on beside a merge. */
    private static void check(TabletRecord draft, RegionShape shape) {
        Invariants.check(
                draft.getShape().getVersion() == shape.getVersion()
                        && draft.getShape().getStartKey().equals(shape.getStartKey())
                        && draft.getShape().getEndKey().equals(shape.getEndKey())
                        && draft.getPendingChildrenCount() == 0
                        && draft.getUnreportedMergesCount() == 0,
                "region %s has changed while it was merged",
                shape.getRegionId());
    }

    PreparedRecord prepared() {
        return beside.prepared();
    }

    /** The source's last entry that the record holds. */
    long sourceIndex() {
        return sourceIndex;
    }

    /** As {@link BesideTablet#add}. */
    void add(List<Entry> entries) {
        beside.add(entries);
    }

    /** As {@link BesideTablet#drain}. */
    boolean drain() {
        return beside.drain();
    }

    /** As {@link BesideTablet#take}. */
    WarmTablet take() {
        return beside.take();
    }

    /** As {@link BesideTablet#close}. */
    void close() {
        beside.close();
    }
}
