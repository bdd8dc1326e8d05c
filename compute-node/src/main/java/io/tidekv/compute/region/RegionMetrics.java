package io.tidekv.compute.region;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.tidekv.common.metrics.Metrics;

/** What the regions of a store count and time. Thread-safe. */
final class RegionMetrics {
    private static final double NANOS = 1e-9;

    private final DistributionDataPoint writes;
    private final DistributionDataPoint openings;
    private final DistributionDataPoint splitPauses;
    private final DistributionDataPoint mergePauses;
    private final DistributionDataPoint published;
    private final DistributionDataPoint unpublished;
    private final CounterDataPoint released;
    private final CounterDataPoint fenced;
    private final CounterDataPoint failed;
    private final CounterDataPoint hibernated;

    RegionMetrics(Metrics metrics) {
        writes =
                metrics.seconds(
                                "tidekv_region_write_seconds",
                                "From a write's arrival at its region until it is applied.")
                        .labelValues();
        openings =
                metrics.seconds(
                                "tidekv_region_open_seconds",
                                "From a region's assignment until it serves.")
                        .labelValues();
        splitPauses =
                metrics.seconds(
                                "tidekv_region_split_pause_seconds",
                                "How long splits have held writes up.")
                        .labelValues();
        mergePauses =
                metrics.seconds(
                                "tidekv_region_merge_pause_seconds",
                                "How long merges have held writes up.")
                        .labelValues();
        Histogram publications =
                metrics.seconds(
                        "tidekv_region_publish_seconds",
                        "Flush and uploads of a publication, by outcome.",
                        "outcome");
        published = publications.labelValues("stored");
        unpublished = publications.labelValues("failed");
        Counter ends =
                metrics.counter(
                        "tidekv_region_ended_total",
                        "Regions that this store has ceased to lead, by how.",
                        "how");
        released = ends.labelValues("released");
        fenced = ends.labelValues("fenced");
        failed = ends.labelValues("failed");
        hibernated =
                metrics.counter(
                                "tidekv_region_hibernated_total",
                                "Tablets that were closed because nobody used them.")
                        .labelValues();
    }

    void hibernated() {
        hibernated.inc();
    }

    void written(long nanos) {
        writes.observe(nanos * NANOS);
    }

    void opened(long nanos) {
        openings.observe(nanos * NANOS);
    }

    void splitPause(long nanos) {
        splitPauses.observe(nanos * NANOS);
    }

    void mergePause(long nanos) {
        mergePauses.observe(nanos * NANOS);
    }

    void published(long nanos, boolean stored) {
        (stored ? published : unpublished).observe(nanos * NANOS);
    }

    void released() {
        released.inc();
    }

    void fenced() {
        fenced.inc();
    }

    void failed() {
        failed.inc();
    }
}
