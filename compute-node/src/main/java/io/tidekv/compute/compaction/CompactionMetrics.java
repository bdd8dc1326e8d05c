package io.tidekv.compute.compaction;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.tidekv.common.metrics.Metrics;

/** What a store counts of compactions that workers do for it. Thread-safe. */
public final class CompactionMetrics {
    private final CounterDataPoint offered;
    private final CounterDataPoint adopted;
    private final CounterDataPoint refused;
    private final CounterDataPoint failed;
    private final CounterDataPoint inputBytes;
    private final CounterDataPoint outputBytes;

    CompactionMetrics(Metrics metrics) {
        Counter jobs =
                metrics.counter(
                        "tidekv_remote_compactions_total",
                        "Compactions given to workers, and what has become of them: adopted,"
                                + " refused because the result did not fit, or failed.",
                        "state");
        offered = jobs.labelValues("offered");
        adopted = jobs.labelValues("adopted");
        refused = jobs.labelValues("refused");
        failed = jobs.labelValues("failed");
        Counter bytes =
                metrics.counter(
                        "tidekv_remote_compaction_bytes_total",
                        "Table files that adopted compactions have read and written elsewhere.",
                        "kind");
        inputBytes = bytes.labelValues("inputs");
        outputBytes = bytes.labelValues("outputs");
    }

    void offered() {
        offered.inc();
    }

    /** A result is part of its region. */
    public void adopted(long inputs, long outputs) {
        adopted.inc();
        inputBytes.inc(inputs);
        outputBytes.inc(outputs);
    }

    /** A result was not taken. */
    public void refused() {
        refused.inc();
    }

    /** No result came, or its region went on without it. */
    public void failed() {
        failed.inc();
    }
}
