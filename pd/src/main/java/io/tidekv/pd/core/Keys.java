package io.tidekv.pd.core;

import com.google.protobuf.ByteString;
import java.util.Comparator;

/** Order of stored keys, and ranges in which an empty end has no bound. */
public final class Keys {
    public static final Comparator<ByteString> ORDER =
            ByteString.unsignedLexicographicalComparator();

    private Keys() {}

    public static boolean before(ByteString a, ByteString b) {
        return ORDER.compare(a, b) < 0;
    }

    /** Compares ends of ranges: the empty one is the greatest. */
    public static int compareEnds(ByteString a, ByteString b) {
        if (a.isEmpty() || b.isEmpty()) {
            return Boolean.compare(a.isEmpty(), b.isEmpty());
        }
        return ORDER.compare(a, b);
    }

    public static boolean contains(ByteString start, ByteString end, ByteString key) {
        return !before(key, start) && (end.isEmpty() || before(key, end));
    }
}
