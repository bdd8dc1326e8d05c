package io.tidekv.compute.tablet;

import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;

/**
 * What the region's log says about the region beside its data, kept in the tablet so that a record
 * holds both as of one index.
 *
 * @param pendingChildren that still depend on the region
 * @param flashbackStartTs the region is shut by the flashback that began then; 0: by none
 * @param merges regions that it has taken over and that PD may not know to be gone
 */
public record RegionState(
        RegionShape shape,
        List<SplitChild> pendingChildren,
        long flashbackStartTs,
        List<MergedRegion> merges) {
    public RegionState {
        pendingChildren = List.copyOf(pendingChildren);
        merges = List.copyOf(merges);
    }

    /** Of a region that has just begun. */
    public static RegionState fresh(RegionShape shape) {
        return new RegionState(shape, List.of(), 0, List.of());
    }

    public RegionState withShape(RegionShape other) {
        return new RegionState(other, pendingChildren, flashbackStartTs, merges);
    }

    public RegionState withPendingChildren(List<SplitChild> others) {
        return new RegionState(shape, others, flashbackStartTs, merges);
    }

    public RegionState withFlashback(long startTs) {
        return new RegionState(shape, pendingChildren, startTs, merges);
    }

    public RegionState withMerges(List<MergedRegion> others) {
        return new RegionState(shape, pendingChildren, flashbackStartTs, others);
    }

    /** The state in a record. */
    public static RegionState of(TabletRecord record) {
        return new RegionState(
                record.getShape(),
                record.getPendingChildrenList(),
                record.getFlashbackStartTs(),
                record.getUnreportedMergesList());
    }
}
