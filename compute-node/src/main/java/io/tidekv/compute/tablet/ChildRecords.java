package io.tidekv.compute.tablet;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import java.util.Comparator;

/**
 * Derives records by editing file lists. Files are shared, not copied: a file that straddles a
 * boundary stays whole, and the bounds that every access to a tablet enforces hide the rest of it.
 */
public final class ChildRecords {
    /** RocksDB's internal keys end with 8 bytes of sequence number and type. */
    private static final int INTERNAL_SUFFIX = 8;

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
                .clearParent()
                .build();
    }

    /** The record without files that lie wholly outside the shape's range. */
    public static TabletRecord withinRange(TabletRecord record, RegionShape shape) {
        TabletRecord.Builder clipped = record.toBuilder().clearColumnFamilies();
        for (ColumnFamily family : record.getColumnFamiliesList()) {
            ColumnFamily.Builder kept = family.toBuilder().clearFiles();
            for (SstFile file : family.getFilesList()) {
                if (overlaps(file, shape)) {
                    kept.addFiles(file);
                }
            }
            clipped.addColumnFamilies(kept);
        }
        return clipped.build();
    }

    private static boolean overlaps(SstFile file, RegionShape shape) {
        ByteString end = shape.getEndKey();
        boolean before = KEY_ORDER.compare(userKey(file.getLargest()), shape.getStartKey()) < 0;
        boolean after = !end.isEmpty() && KEY_ORDER.compare(userKey(file.getSmallest()), end) >= 0;
        return !before && !after;
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

    private static ByteString userKey(ByteString internal) {
        Invariants.check(internal.size() >= INTERNAL_SUFFIX, "an internal key is too short");
        return internal.substring(0, internal.size() - INTERNAL_SUFFIX);
    }
}
