package io.tidekv.wal.archive;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.tidekv.common.metrics.Metrics;
import java.util.function.DoubleSupplier;

/** What shipping measures. */
final class ArchiveMetrics {
    final CounterDataPoint segments;
    final CounterDataPoint bytes;
    final CounterDataPoint failures;
    final CounterDataPoint pruned;

    ArchiveMetrics(Metrics metrics, DoubleSupplier lagBytes, DoubleSupplier lagSeconds) {
        segments =
                metrics.counter("tidekv_wal_archive_segments_total", "Segments shipped.")
                        .labelValues();
        bytes =
                metrics.counter("tidekv_wal_archive_bytes_total", "Bytes of the objects shipped.")
                        .labelValues();
        failures =
                metrics.counter(
                                "tidekv_wal_archive_failures_total",
                                "Attempts to ship that failed and are repeated.")
                        .labelValues();
        pruned =
                metrics.counter(
                                "tidekv_wal_archive_pruned_total",
                                "Objects deleted because of their age.")
                        .labelValues();
        metrics.gauge(
                "tidekv_wal_archive_lag_bytes", "Full segments that are not shipped.", lagBytes);
        metrics.gauge(
                "tidekv_wal_archive_lag_seconds",
                "How long nothing has been shipped although segments wait.",
                lagSeconds);
    }
}
