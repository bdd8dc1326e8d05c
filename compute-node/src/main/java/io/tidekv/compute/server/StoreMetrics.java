package io.tidekv.compute.server;

import io.tidekv.common.metrics.Metrics;
import io.tidekv.compute.region.RegionStore;

/** Gauges of a store's regions, under TiKV's names where it has them. */
final class StoreMetrics {
    private StoreMetrics() {}

    static void register(Metrics metrics, RegionStore regions) {
        metrics.gauge(
                "tikv_raftstore_region_count",
                "Regions that this store leads.",
                () -> regions.regions().size());
        metrics.gauge(
                "tidekv_region_resting",
                "Regions without anything to do: they cost no time until they are used.",
                regions::restingRegions);
        metrics.gauge(
                "tidekv_region_open_tablets",
                "Tablets that are open; regions without one are led and open it when used.",
                regions::openTablets);
        metrics.gauge(
                "tidekv_region_proposal_bytes",
                "Writes that wait for the log or are under way to it.",
                regions::proposalBytes);
        metrics.gauge(
                "tidekv_region_unpublished_bytes",
                "Applied writes that are in no published record yet.",
                regions::unpublishedBytes);
    }
}
