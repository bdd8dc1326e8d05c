package io.tidekv.objects.upload;

import io.tidekv.common.metrics.Metrics;

/** An uploader's figures for Prometheus. */
public final class UploadMetrics {
    private UploadMetrics() {}

    /** Registers them; once for each {@code metrics}. */
    public static void register(Metrics metrics, Uploader uploader) {
        metrics.gauge(
                "tidekv_upload_waiting_objects",
                "Uploads queued and under way.",
                () -> uploader.stats().waiting());
        metrics.gauge(
                "tidekv_upload_waiting_bytes",
                "Bytes of uploads queued and under way.",
                () -> uploader.stats().waitingBytes());
        metrics.gauge(
                "tidekv_upload_lag_seconds",
                "Age of the oldest upload that is not done; 0 when there is none.",
                () -> uploader.stats().lagMillis() / 1000.0);
        metrics.gauge(
                "tidekv_upload_objects",
                "Objects uploaded since the start.",
                () -> uploader.stats().uploads());
        metrics.gauge(
                "tidekv_upload_bytes",
                "Bytes uploaded since the start.",
                () -> uploader.stats().uploadedBytes());
        metrics.gauge(
                "tidekv_upload_retries",
                "Attempts at uploads beyond the first, since the start.",
                () -> uploader.stats().retries());
        metrics.gauge(
                "tidekv_upload_failures",
                "Uploads given up since the start.",
                () -> uploader.stats().failures());
    }
}
