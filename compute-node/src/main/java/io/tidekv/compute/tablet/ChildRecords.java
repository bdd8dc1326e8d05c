package io.tidekv.compute.tablet;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.objects.manifest.RecordRange;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import java.util.Comparator;

/**
 * Derives records by editing file lists. Files are shared, not copied: a file that straddles a
 * boundary stays whole, and the bounds that every access to a tablet enforces hide the rest of it.
 */
public final class ChildRecords {
    private static final Comparator<ByteString> KEY_ORDER =
            ByteString.unsignedLexicographicalComparator();

    private ChildRecords() {}

    /**
     * First record of a child that is split off a region whose drained and flushed state is {@code
     * parent}. Its own log is empty, so it has applied nothing.
     *
     * @param term term that PD issued for the child
     */
    public static TabletRecord clip(TabletRecord parent, RegionShape child, long term) {
        RegionShape whole = parent.getShape();
        Invariants.check(
                inside(child, whole),
                "the child %s does not lie inside region %s",
                child.getRegionId(),
                whole.getRegionId());
        return withinRange(parent, child).toBuilder()
                .setShape(child)
                .setTerm(term)
                .setSequence(0)
                .setAppliedIndex(0)
                .setAppliedTerm(0)
                .addLineage(
                        Lineage.newBuilder()
                                .setRegionId(whole.getRegionId())
                                .setIndex(parent.getAppliedIndex())
                                .setEvent("split"))
                .clearPendingChildren()
                .clearFlashbackStartTs()
                .clearUnreportedMerges()
                .clearParent()
                .build();
    }

    /** The record without files that lie wholly outside the shape's range. */
    public static TabletRecord withinRange(TabletRecord record, RegionShape shape) {
        return RecordRange.within(record, shape);
    }

    private static boolean inside(RegionShape child, RegionShape whole) {
        ByteString end = whole.getEndKey();
        boolean startsInside = KEY_ORDER.compare(child.getStartKey(), whole.getStartKey()) >= 0;
        boolean endsInside =
                end.isEmpty()
                        || (!child.getEndKey().isEmpty()
                                && KEY_ORDER.compare(child.getEndKey(), end) <= 0);
        return startsInside && endsInside;
    }
}
