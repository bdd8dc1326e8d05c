package io.tidekv.wal.service;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.tidekv.common.metrics.Metrics;

/** What the writer measures. */
final class WalMetrics {
    final DistributionDataPoint commitSeconds;
    final DistributionDataPoint roundRequests;
    final CounterDataPoint requests;
    final CounterDataPoint appends;
    final CounterDataPoint refused;
    final CounterDataPoint failures;

    WalMetrics(Metrics metrics) {
        commitSeconds =
                metrics.seconds("tidekv_wal_commit_duration_seconds", "Write and sync of a round.")
                        .labelValues();
        roundRequests =
                metrics.sizes("tidekv_wal_round_requests", "Requests that share one sync.")
                        .labelValues();
        requests = metrics.counter("tidekv_wal_requests_total", "Requests handled.").labelValues();
        appends =
                metrics.counter("tidekv_wal_appends_total", "Appends that carried entries.")
                        .labelValues();
        refused =
                metrics.counter("tidekv_wal_overloaded_total", "Requests refused by the queue.")
                        .labelValues();
        failures =
                metrics.counter("tidekv_wal_storage_failures_total", "Failures of the disk.")
                        .labelValues();
    }
}
