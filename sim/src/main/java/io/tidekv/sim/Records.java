package io.tidekv.sim;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The object store: published states of regions by name. Nothing is ever lost or replaced. */
final class Records {
    /** A state and the entry up to which it has applied the log. */
    record Published(long appliedIndex, long appliedTerm, Map<Integer, Long> values) {}

    private final Map<String, Published> objects = new TreeMap<>();

    void put(String key, Published published) {
        SimFailure.check(objects.putIfAbsent(key, published) == null, "%s exists", key);
    }

    Published get(String key) {
        @Nullable Published published = objects.get(key);
        if (published == null) {
            throw new SimFailure("no record " + key);
        }
        return published;
    }
}
