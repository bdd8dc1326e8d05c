package io.tidekv.compute.server;

import io.tidekv.common.metrics.Metrics;
import io.tidekv.compute.tablet.rocks.RocksTabletStore;

/** Gauges of a store's tablets. */
final class TabletMetrics {
    private TabletMetrics() {}

    static void register(Metrics metrics, RocksTabletStore tablets) {
        metrics.gauge("tidekv_tablets", "Open tablets.", () -> tablets.stats().tablets());
        metrics.gauge(
                "tidekv_tablet_files",
                "Table files in the records of open tablets.",
                () -> tablets.stats().files());
        metrics.gauge(
                "tidekv_tablet_missing_files",
                "Those of them that are not on the local disk.",
                () -> tablets.stats().missingFiles());
        metrics.gauge(
                "tidekv_tablet_reads", "Point reads of tablets.", () -> tablets.stats().reads());
        metrics.gauge(
                "tidekv_tablet_read_waits",
                "Point reads and steps of scans that waited for objects.",
                () -> tablets.stats().waits());
        metrics.gauge(
                "tidekv_tablet_read_wait_seconds",
                "Time they waited, summed over those side by side.",
                () -> tablets.stats().waitedNanos() / 1e9);
        metrics.gauge(
                "tidekv_tablet_hit_ratio",
                "Share of point reads that found all they needed on the local disk.",
                () -> hitRatio(tablets.stats().reads(), tablets.stats().waits()));
        metrics.gauge(
                "tidekv_tablet_part_files",
                "Table files that are on the local disk in part.",
                () -> tablets.stats().partFiles());
        metrics.gauge(
                "tidekv_tablet_part_reads",
                "Reads of a key or a small range that touched such files.",
                () -> tablets.stats().partReads());
        metrics.gauge(
                "tidekv_tablet_part_holes",
                "Reads that came to what had not been fetched; rare.",
                () -> tablets.stats().partHoles());
        metrics.gauge(
                "tidekv_tablet_granule_hit_ratio",
                "Share of these that found there all they needed.",
                () -> hitRatio(tablets.stats().partReads(), tablets.stats().partMisses()));
        metrics.gauge(
                "tidekv_tablet_garbage_rows",
                "Old versions and values that have ended which were dropped since the start.",
                tablets::garbageRowsDropped);
    }

    private static double hitRatio(long reads, long missed) {
        return reads == 0 ? 1 : Math.max(0, 1 - (double) missed / reads);
    }
}
