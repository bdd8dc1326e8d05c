package io.tidekv.objects.hydrate;

import java.util.concurrent.atomic.LongAdder;

/** Counts what a cache does. Thread-safe. */
final class CacheCounters {
    private final LongAdder hits = new LongAdder();
    private final LongAdder fetches = new LongAdder();
    private final LongAdder fetchedBytes = new LongAdder();
    private final LongAdder fetchNanos = new LongAdder();
    private final LongAdder ranges = new LongAdder();
    private final LongAdder rangeBytes = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder evictions = new LongAdder();
    private final LongAdder damaged = new LongAdder();

    void hit() {
        hits.increment();
    }

    void fetched(long bytes, long nanos) {
        fetches.increment();
        fetchedBytes.add(bytes);
        fetchNanos.add(nanos);
    }

    void fetchedRange(long bytes, long nanos) {
        ranges.increment();
        rangeBytes.add(bytes);
        fetchNanos.add(nanos);
    }

    void failure() {
        failures.increment();
    }

    void evicted(int files) {
        evictions.add(files);
    }

    void damaged() {
        damaged.increment();
    }

    CacheStats stats(long bytes, long partBytes, int files, int fetching, long bytesMax) {
        return new CacheStats(
                bytes,
                partBytes,
                bytesMax,
                files,
                fetching,
                hits.sum(),
                fetches.sum(),
                fetchedBytes.sum(),
                ranges.sum(),
                rangeBytes.sum(),
                fetchNanos.sum(),
                failures.sum(),
                evictions.sum(),
                damaged.sum());
    }
}
