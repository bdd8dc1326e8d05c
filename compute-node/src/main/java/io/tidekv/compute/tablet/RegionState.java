package io.tidekv.compute.tablet;

import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.List;

/**
 * What the region's log says about the region beside its data, kept in the tablet so that a record
 * holds both as of one index: shape, and children that still depend on the region.
 */
public record RegionState(RegionShape shape, List<SplitChild> pendingChildren) {
    public RegionState {
        pendingChildren = List.copyOf(pendingChildren);
    }

    /** The state in a record. */
    public static RegionState of(TabletRecord record) {
        return new RegionState(record.getShape(), record.getPendingChildrenList());
    }
}
