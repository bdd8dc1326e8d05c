package io.tidekv.compute.region;

import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.region.RegionShape;

/**
 * An open tablet that has applied a committed prefix of the region's log, made before the region is
 * led here. Whoever holds it closes it.
 *
 * @param machine the region's state after that prefix
 */
record WarmTablet(Tablet tablet, RegionMachine machine) {
    /**
     * Whether the tablet stands on the region's current record, as far as it knows. Only then may
     * it publish: files that a newer record has dropped must not come back.
     */
    boolean isCurrent() {
        PreparedRecord base = tablet.base();
        return base == null ? machine.record() == null : base.ref().equals(machine.record());
    }

    AppliedMark applied() {
        return tablet.applied();
    }

    /** The same for the peer that PD has assigned: range and version stay the log's. */
    WarmTablet assigned(RegionShape shape) {
        RegionState state = machine.state();
        RegionShape served =
                state.shape().toBuilder()
                        .setPeerId(shape.getPeerId())
                        .setConfVer(shape.getConfVer())
                        .build();
        return new WarmTablet(tablet, machine.inState(state.withShape(served)));
    }
}
