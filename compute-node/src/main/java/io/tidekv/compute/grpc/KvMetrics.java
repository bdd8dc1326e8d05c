package io.tidekv.compute.grpc;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.tidekv.common.error.KvError;
import io.tidekv.common.metrics.Metrics;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Metrics of requests, under TiKV's names where it has them. Labels come from fixed sets. */
final class KvMetrics {
    private static final double NANOS = 1e-9;

    private final Histogram durations;
    private final Counter failures;
    private final Counter refusals;
    private final Map<String, DistributionDataPoint> durationOf = new ConcurrentHashMap<>();

    KvMetrics(Metrics metrics, InFlight inFlight) {
        durations =
                metrics.seconds(
                        "tikv_grpc_msg_duration_seconds",
                        "Time to answer a request, by type.",
                        "type");
        failures =
                metrics.counter(
                        "tikv_grpc_msg_fail_total",
                        "Requests answered with a region error, by type and error.",
                        "type",
                        "error");
        refusals =
                metrics.counter(
                        "tidekv_grpc_msg_refused_total",
                        "Requests refused for want of room, by type.",
                        "type");
        metrics.gauge(
                "tidekv_grpc_in_flight_bytes",
                "Bytes of requests being served.",
                () -> inFlight.bytes());
    }

    void served(String label, long nanos) {
        DistributionDataPoint known = durationOf.get(label);
        if (known == null) {
            known = durationOf.computeIfAbsent(label, durations::labelValues);
        }
        known.observe(nanos * NANOS);
    }

    void failed(String label, KvError error) {
        CounterDataPoint point = failures.labelValues(label, error.getClass().getSimpleName());
        point.inc();
    }

    void refused(String label) {
        refusals.labelValues(label).inc();
    }
}
