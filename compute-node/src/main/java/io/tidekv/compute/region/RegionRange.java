package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.RegionShape;
import java.util.Comparator;

/** Ranges of regions: {@code [start, end)} in unsigned byte order, an empty end has no bound. */
final class RegionRange {
    static final Comparator<ByteString> KEY_ORDER = ByteString.unsignedLexicographicalComparator();

    private RegionRange() {}

    static boolean contains(RegionShape shape, ByteString key) {
        return KEY_ORDER.compare(key, shape.getStartKey()) >= 0
                && (shape.getEndKey().isEmpty() || KEY_ORDER.compare(key, shape.getEndKey()) < 0);
    }

    /** Whether a split there leaves something on both sides. */
    static boolean isInner(RegionShape shape, ByteString key) {
        return contains(shape, key) && !key.equals(shape.getStartKey());
    }
}
