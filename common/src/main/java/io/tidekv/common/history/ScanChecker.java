package io.tidekv.common.history;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Scans show exactly the keys of their range at their timestamp, in order, up to their limit. */
public final class ScanChecker {
    private final TreeMap<String, TreeMap<Long, String>> versions = new TreeMap<>();

    /**
     * A scan and its answer.
     *
     * @param end exclusive; empty for none
     * @param reverse the answer runs downwards from {@code end}
     */
    public record Scan(
            long ts, String start, String end, int limit, boolean reverse, List<Pair> pairs) {}

    /** A key and its value. */
    public record Pair(String key, String value) {}

    /** A committed write; a null value deletes. */
    public void committed(String key, long commitTs, @Nullable String value) {
        versions.computeIfAbsent(key, each -> new TreeMap<>(Long::compareUnsigned))
                .put(commitTs, value == null ? "" : value);
    }

    /** What is wrong with a scan; empty when nothing is. Empty values stand for deleted keys. */
    public List<String> check(Scan scan) {
        List<String> found = new ArrayList<>();
        List<Pair> expected = expected(scan);
        Set<String> keys = new HashSet<>();
        String before = null;
        for (Pair pair : scan.pairs()) {
            if (!keys.add(pair.key())) {
                found.add("a key is shown twice");
            }
            int order = before == null ? -1 : before.compareTo(pair.key());
            if (before != null && (scan.reverse() ? -order : order) > 0) {
                found.add("keys are out of order");
            }
            if (!inRange(scan, pair.key())) {
                found.add("a key is outside of the range");
            }
            before = pair.key();
        }
        if (scan.pairs().size() > scan.limit()) {
            found.add("more than the limit is shown");
        }
        if (!scan.pairs().equals(expected)) {
            found.add("the scan at " + Long.toUnsignedString(scan.ts()) + " shows other pairs");
        }
        return found;
    }

    private static boolean inRange(Scan scan, String key) {
        return key.compareTo(scan.start()) >= 0
                && (scan.end().isEmpty() || key.compareTo(scan.end()) < 0);
    }

    private List<Pair> expected(Scan scan) {
        NavigableMap<String, TreeMap<Long, String>> ordered =
                scan.reverse() ? versions.descendingMap() : versions;
        List<Pair> pairs = new ArrayList<>();
        for (Map.Entry<String, TreeMap<Long, String>> each : ordered.entrySet()) {
            Map.Entry<Long, String> newest = each.getValue().floorEntry(scan.ts());
            if (pairs.size() < scan.limit()
                    && inRange(scan, each.getKey())
                    && newest != null
                    && !newest.getValue().isEmpty()) {
                pairs.add(new Pair(each.getKey(), newest.getValue()));
            }
        }
        return pairs;
    }
}
