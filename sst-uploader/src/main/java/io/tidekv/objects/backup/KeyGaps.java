package io.tidekv.objects.backup;

import com.google.protobuf.ByteString;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;

/** What is left of the key space when ranges are taken out of it. Pure; one thread. */
final class KeyGaps {
    private static final Comparator<ByteString> ORDER =
            ByteString.unsignedLexicographicalComparator();

    /** Start to end of each gap; empty ends have no bound. */
    private final TreeMap<ByteString, ByteString> gaps = new TreeMap<>(ORDER);

    KeyGaps() {
        gaps.put(ByteString.EMPTY, ByteString.EMPTY);
    }

    boolean isEmpty() {
        return gaps.isEmpty();
    }

    /** Where the first gap begins; there must be one. */
    ByteString first() {
        return gaps.firstKey();
    }

    /** Whether anything of {@code [start, end)} is left. */
    boolean meets(ByteString start, ByteString end) {
        Map.Entry<ByteString, ByteString> before = gaps.floorEntry(start);
        if (before != null && isBefore(start, before.getValue())) {
            return true;
        }
        ByteString next = gaps.higherKey(start);
        return next != null && isBefore(next, end);
    }

    /** Takes {@code [start, end)} out. */
    void close(ByteString start, ByteString end) {
        Map.Entry<ByteString, ByteString> before = gaps.floorEntry(start);
        if (before != null && isBefore(start, before.getValue())) {
            gaps.remove(before.getKey());
            put(before.getKey(), start);
            putRest(end, before.getValue());
        }
        for (Map.Entry<ByteString, ByteString> gap = gaps.higherEntry(start);
                gap != null && isBefore(gap.getKey(), end);
                gap = gaps.higherEntry(start)) {
            gaps.remove(gap.getKey());
            putRest(end, gap.getValue());
        }
    }

    private void put(ByteString start, ByteString end) {
        if (!start.equals(end)) {
            gaps.put(start, end);
        }
    }

    /** What lies behind a closed range that ends in a gap. */
    private void putRest(ByteString closedTo, ByteString end) {
        if (!closedTo.isEmpty() && isBefore(closedTo, end)) {
            gaps.put(closedTo, end);
        }
    }

    private static boolean isBefore(ByteString key, ByteString end) {
        return end.isEmpty() || ORDER.compare(key, end) < 0;
    }
}
