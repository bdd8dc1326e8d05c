package io.tidekv.compute.tablet.rocks;

import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongPredicate;

/**
 * Which files of a tablet point reads touch, from a sample of them. Scans leave no trace, so that
 * one pass over everything does not push out what is read all the time. Thread-safe.
 */
final class Heat {
    /** One read in so many is looked at. A power of two. */
    private static final int SAMPLE = 32;

    private final ConcurrentHashMap<Long, Integer> counts = new ConcurrentHashMap<>();

    /** Updated without care: threads that overwrite each other only shift the sample. */
    private int reads;

    boolean isSampled() {
        return (++reads & (SAMPLE - 1)) == 0;
    }

    void add(long number) {
        counts.merge(number, 1, Integer::sum);
    }

    int of(long number) {
        return counts.getOrDefault(number, 0);
    }

    /** Halves all counts: what was hot long ago is not hot. */
    void cool() {
        counts.keySet()
                .forEach(number -> counts.computeIfPresent(number, (n, c) -> c > 1 ? c / 2 : null));
    }

    void retain(LongPredicate files) {
        counts.keySet().removeIf(number -> !files.test(number));
    }
}
