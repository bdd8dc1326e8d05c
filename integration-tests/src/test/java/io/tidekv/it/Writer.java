package io.tidekv.it;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.tikv.raw.RawKVClient;

/**
 * Writes rows one by one for as long as a test lasts; knows what was acknowledged and the longest
 * time without an answer.
 */
final class Writer implements AutoCloseable {
    private final RawKVClient client;
    private final Rows rows;
    private final Thread thread;
    private final ConcurrentLinkedQueue<Long> acknowledged = new ConcurrentLinkedQueue<>();
    private final AtomicLong lastAnswer = new AtomicLong(System.nanoTime());
    private final AtomicLong longestGapNanos = new AtomicLong();
    private volatile boolean stopping;
    private volatile int failures;

    Writer(RawKVClient client, Rows rows, long firstRow) {
        this.client = client;
        this.rows = rows;
        thread = new Thread(() -> run(firstRow), "writer");
        thread.start();
    }

    /** Writes that were acknowledged so far. */
    int count() {
        return acknowledged.size();
    }

    int failures() {
        return failures;
    }

    /** Longest time between two acknowledgements since the last call. */
    long takeLongestGapMillis() {
        return longestGapNanos.getAndSet(0) / 1_000_000;
    }

    /** Rows that were acknowledged. */
    Iterable<Long> acknowledged() {
        return acknowledged;
    }

    private void run(long firstRow) {
        for (long row = firstRow; !stopping; row++) {
            try {
                client.put(rows.key(row), rows.value(row));
                acknowledged.add(row);
                long now = System.nanoTime();
                long gap = now - lastAnswer.getAndSet(now);
                longestGapNanos.accumulateAndGet(gap, Math::max);
            } catch (RuntimeException e) {
                failures++;
            }
        }
    }

    /** Stops after the write under way. */
    @Override
    public void close() throws InterruptedException {
        stopping = true;
        thread.join();
    }
}
