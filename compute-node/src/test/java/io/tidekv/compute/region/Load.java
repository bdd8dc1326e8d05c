package io.tidekv.compute.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Threads;
import io.tidekv.common.time.SystemClock;
import java.util.Map;
import java.util.TreeMap;

/** A client that writes without end, and knows what was acknowledged and how long it waited. */
final class Load implements AutoCloseable {
    private final TestCluster cluster;
    private final String prefix;
    private final int keys;
    private final Map<String, String> acknowledged = new TreeMap<>();
    private final Thread thread;
    private volatile boolean stopped;
    private volatile long count;
    private long longestGapNanos;

    Load(TestCluster cluster, String prefix, int keys) {
        this.cluster = cluster;
        this.prefix = prefix;
        this.keys = keys;
        this.thread = Threads.start("load-" + prefix, this::run);
    }

    private void run() {
        long last = SystemClock.INSTANCE.monotonicNanos();
        for (int i = 0; !stopped; i++) {
            String key = prefix + String.format(java.util.Locale.ROOT, "%05d", i % keys);
            String value = "v" + i + "-" + "x".repeat(100);
            cluster.putAnywhere(key, value);
            long now = SystemClock.INSTANCE.monotonicNanos();
            synchronized (acknowledged) {
                acknowledged.put(key, value);
                longestGapNanos = Math.max(longestGapNanos, now - last);
            }
            last = now;
            count++;
        }
    }

    long count() {
        return count;
    }

    /** The longest time between two acknowledgements since the call before. */
    long takeGapMillis() {
        synchronized (acknowledged) {
            long gap = longestGapNanos / 1_000_000;
            longestGapNanos = 0;
            return gap;
        }
    }

    void stop() throws InterruptedException {
        stopped = true;
        thread.join(TestCluster.PATIENCE.toMillis());
        assertThat(thread.isAlive()).isFalse();
    }

    /** Every acknowledged write is there. */
    void verify() {
        assertThat(acknowledged).isNotEmpty();
        acknowledged.forEach(
                (key, value) -> assertThat(cluster.getAnywhere(key)).as(key).isEqualTo(value));
    }

    @Override
    public void close() throws InterruptedException {
        stopped = true;
        thread.join(TestCluster.PATIENCE.toMillis());
    }
}
