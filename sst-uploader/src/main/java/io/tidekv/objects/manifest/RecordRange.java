package io.tidekv.objects.manifest;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.RegionShape;
import java.util.Comparator;

/** Records of a part of a range, which share their files. */
public final class RecordRange {
    /** RocksDB's internal keys end with 8 bytes of sequence number and type. */
    private static final int INTERNAL_SUFFIX = 8;

    private static final Comparator<ByteString> ORDER =
            ByteString.unsignedLexicographicalComparator();

    private RecordRange() {}

    /** The record without files that lie wholly outside the shape's range. */
    public static TabletRecord within(TabletRecord record, RegionShape shape) {
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
        boolean before = ORDER.compare(userKey(file.getLargest()), shape.getStartKey()) < 0;
        boolean after = !end.isEmpty() && ORDER.compare(userKey(file.getSmallest()), end) >= 0;
        return !before && !after;
    }

    private static ByteString userKey(ByteString internal) {
        Invariants.check(internal.size() >= INTERNAL_SUFFIX, "an internal key is too short");
        return internal.substring(0, internal.size() - INTERNAL_SUFFIX);
    }
}
