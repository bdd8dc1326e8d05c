package io.tidekv.compute.tablet;

import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;

/**
 * What the region's log says about the region beside its data, kept in the tablet so that a record
 * holds both as of one index: shape, and children that still depend on the region.
 *
 * @param flashbackStartTs the region is shut by the flashback that began then; 0: by none
 */
public record RegionState(
        RegionShape shape, List<SplitChild> pendingChildren, long flashbackStartTs) {
    public RegionState {
        pendingChildren = List.copyOf(pendingChildren);
    }

    /** A region that no flashback shuts. */
    public RegionState(RegionShape shape, List<SplitChild> pendingChildren) {
        this(shape, pendingChildren, 0);
    }

    public RegionState withShape(RegionShape other) {
        return new RegionState(other, pendingChildren, flashbackStartTs);
    }

    public RegionState withPendingChildren(List<SplitChild> others) {
        return new RegionState(shape, others, flashbackStartTs);
    }

    public RegionState withFlashback(long startTs) {
        return new RegionState(shape, pendingChildren, startTs);
    }

    /** The state in a record. */
    public static RegionState of(TabletRecord record) {
        return new RegionState(
                record.getShape(), record.getPendingChildrenList(), record.getFlashbackStartTs());
    }
}
