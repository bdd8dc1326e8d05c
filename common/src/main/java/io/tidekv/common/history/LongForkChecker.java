package io.tidekv.common.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keys that are written once, each by its own transaction, and transactions that read several of
 * them: all must see the writes in one order.
 */
public final class LongForkChecker {
    private LongForkChecker() {}

    /**
     * What is wrong, one sentence for each; empty when nothing is.
     *
     * @param reads for each reading transaction the keys that it asked for and whether it saw them
     */
    public static List<String> check(List<Map<String, Boolean>> reads) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < reads.size(); i++) {
            for (int j = i + 1; j < reads.size(); j++) {
                String first = onlyIn(reads.get(i), reads.get(j));
                String second = onlyIn(reads.get(j), reads.get(i));
                if (first != null && second != null) {
                    found.add(
                            "reads "
                                    + i
                                    + " and "
                                    + j
                                    + " see "
                                    + first
                                    + " and "
                                    + second
                                    + " in opposite orders");
                }
            }
        }
        return found;
    }

    private static @Nullable String onlyIn(Map<String, Boolean> one, Map<String, Boolean> other) {
        for (Map.Entry<String, Boolean> each : one.entrySet()) {
            if (each.getValue() && Boolean.FALSE.equals(other.get(each.getKey()))) {
                return each.getKey();
            }
        }
        return null;
    }
}
