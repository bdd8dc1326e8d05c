package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.GranuleSettings;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What all tablets of a process share about files that are here in part. Thread-safe. */
final class GranuleCounters {
    /** Maps of granules take so much memory at most; further files are fetched whole. */
    private static final long HEAP_MAX = 64L << 20;

    private final GranuleSettings settings;
    private final AtomicLong heap = new AtomicLong();
    private final AtomicLong tables = new AtomicLong();
    private final LongAdder reads = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder holes = new LongAdder();

    GranuleCounters(GranuleSettings settings) {
        this.settings = settings;
    }

    GranuleSettings settings() {
        return settings;
    }

    /** Whether there is memory for so many files more; it is then taken. */
    boolean add(int files, long heapBytes) {
        if (heap.addAndGet(heapBytes) > HEAP_MAX) {
            heap.addAndGet(-heapBytes);
            return false;
        }
        tables.addAndGet(files);
        return true;
    }

    void remove(int files, long heapBytes) {
        heap.addAndGet(-heapBytes);
        tables.addAndGet(-files);
    }

    /** A read touched files that are here in part and did, or did not, find there all it needs. */
    void read(boolean found) {
        reads.increment();
        if (!found) {
            misses.increment();
        }
    }

    /** A read met a hole that it had not been known to need. */
    void hole() {
        holes.increment();
    }

    long holes() {
        return holes.sum();
    }

    long tables() {
        return tables.get();
    }

    long reads() {
        return reads.sum();
    }

    long misses() {
        return misses.sum();
    }
}
