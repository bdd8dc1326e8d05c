package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.MergeRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.List;

/**
 * The tablet of a merge that is being prepared: a record of both regions' files in the object
 * store, and a tablet opened at it, which follows what the target goes on to write. Used by one
 * thread at a time: a pool's, or the target's loop.
 */
final class MergedTablet {
    /** A region as it is drafted: its tablet, and in whose name it is published. */
    record Part(RegionShape shape, Tablet tablet, PublishRequest request) {}

    private final RegionEnv env;
    private final PreparedRecord prepared;
    private final WarmTablet warm;
    private final LogApplier applier;
    private final long sourceIndex;
    private final long covered;
    private boolean taken;

    private MergedTablet(
            RegionEnv env, PreparedRecord prepared, WarmTablet warm, long sourceIndex) {
        this.env = env;
        this.prepared = prepared;
        this.warm = warm;
        this.sourceIndex = sourceIndex;
        this.covered = warm.applied().index();
        this.applier = new LogApplier(warm.machine(), warm.tablet(), (entry, outcome) -> {});
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
        Tablet tablet = env.tablets().open(prepared, record.getShape());
        env.tabletsOpen().incrementAndGet();
        RegionMachine machine = new RegionMachine(RegionState.of(record), prepared.ref());
        pass(tablet, applied);
        return new MergedTablet(
                env, prepared, new WarmTablet(tablet, machine), theirs.getAppliedIndex());
    }

    /**
     * The record may end before what the target had applied: the entries between are no writes, for
     * a tablet keeps its mark with those only.
     */
    private static void pass(Tablet tablet, AppliedMark applied) {
        List<Entry> empty = new ArrayList<>();
        for (long i = tablet.applied().index() + 1; i <= applied.index(); i++) {
            empty.add(
                    Entry.newBuilder()
                            .setIndex(i)
                            .setTerm(applied.term())
                            .setKind(EntryKind.NOOP)
                            .build());
        }
        tablet.apply(empty);
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
        return prepared;
    }

    /** The source's last entry that the record holds. */
    long sourceIndex() {
        return sourceIndex;
    }

    /** Takes what the target writes; entries that the tablet has already are passed over. */
    void add(List<Entry> entries) {
        applier.add(entries.stream().filter(e -> e.getIndex() > covered).toList());
    }

    /** Applies what was added; false when the tablet asks to come back in a moment. */
    boolean drain() {
        return applier.drain();
    }

    /** The tablet and the region's state after what was applied; the caller closes it. */
    WarmTablet take() {
        taken = true;
        return warm;
    }

    /** Closes the tablet if nobody has taken it. */
    void close() {
        if (!taken) {
            taken = true;
            env.close(warm.tablet());
        }
    }
}
