package io.tidekv.common.config;

import java.util.Collection;
import java.util.Comparator;

/** Finds what was meant by a mistyped key. */
final class NearestKey {
    private NearestKey() {}

    /** The candidate with the fewest edits; the first of equals. Empty without candidates. */
    static String of(String typed, Collection<String> candidates) {
        return candidates.stream()
                .min(Comparator.comparingInt(candidate -> edits(typed, candidate)))
                .orElse("");
    }

    /** Levenshtein distance. */
    private static int edits(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int change = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.length()];
    }
}
