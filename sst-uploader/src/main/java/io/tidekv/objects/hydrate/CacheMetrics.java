package io.tidekv.objects.hydrate;

import io.tidekv.common.metrics.Metrics;

/** A cache's figures for Prometheus. */
public final class CacheMetrics {
    private CacheMetrics() {}

    /** Registers them; once for each {@code metrics}. */
    public static void register(Metrics metrics, SstCache cache) {
        metrics.gauge("tidekv_cache_bytes", "Bytes of cached files.", () -> cache.stats().bytes());
        metrics.gauge(
                "tidekv_cache_part_bytes",
                "Of them, bytes of files that are here in part.",
                () -> cache.stats().partBytes());
        metrics.gauge(
                "tidekv_cache_bytes_max",
                "Budget of the cache; files in use may exceed it.",
                () -> cache.stats().bytesMax());
        metrics.gauge("tidekv_cache_files", "Cached files.", () -> cache.stats().files());
        metrics.gauge(
                "tidekv_cache_fetching",
                "Fetches queued and under way.",
                () -> cache.stats().fetching());
        metrics.gauge(
                "tidekv_cache_hits", "Files asked for and there.", () -> cache.stats().hits());
        metrics.gauge(
                "tidekv_cache_fetches",
                "Files fetched from the object store.",
                () -> cache.stats().fetches());
        metrics.gauge(
                "tidekv_cache_fetched_bytes",
                "Bytes fetched from the object store.",
                () -> cache.stats().fetchedBytes());
        metrics.gauge(
                "tidekv_cache_range_fetches",
                "Parts of files fetched: ends and granules.",
                () -> cache.stats().ranges());
        metrics.gauge(
                "tidekv_cache_range_fetched_bytes",
                "Bytes fetched with them.",
                () -> cache.stats().rangeBytes());
        metrics.gauge(
                "tidekv_cache_fetch_seconds",
                "Time spent in fetches, summed over those side by side.",
                () -> cache.stats().fetchNanos() / 1e9);
        metrics.gauge(
                "tidekv_cache_failures", "Fetches that failed.", () -> cache.stats().failures());
        metrics.gauge("tidekv_cache_evictions", "Files evicted.", () -> cache.stats().evictions());
        metrics.gauge(
                "tidekv_cache_damaged",
                "Cached files dropped because they failed their checksum.",
                () -> cache.stats().damaged());
    }
}
