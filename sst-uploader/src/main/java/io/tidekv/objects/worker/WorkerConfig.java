package io.tidekv.objects.worker;

import io.tidekv.common.config.DataSize;
import io.tidekv.common.config.Section;
import io.tidekv.common.config.Setting;
import io.tidekv.objects.cost.Prices;
import java.time.Duration;

/** Settings of the process {@code tidekv sst-uploader}. */
public record WorkerConfig(
        @Setting(
                        value = "file:tidekv-objects",
                        doc = "The object store of the cluster: file:DIR or s3://bucket/prefix?…",
                        secret = true)
                String objectStore,
        @Setting(value = "0", doc = "The cluster whose objects are checked; 0: every one found.")
                long clusterId,
        @Setting(
                        value = "127.0.0.1:20220",
                        doc = "HTTP for /status /config /metrics /health; empty: none.")
                String statusAddr,
        @Section("Checks of what is in the object store.") Scrub scrub,
        @Section("Prices of the object store, for metrics.") Prices prices) {

    /** Checks. */
    public record Scrub(
            @Setting(value = "10s", doc = "The first check begins this long after the start.")
                    Duration startDelay,
            @Setting(value = "1h", doc = "Pause between the end of a check and the next.")
                    Duration interval,
            @Setting(
                            value = "32MB",
                            doc =
                                    "Contents are read and compared with their checksums at this"
                                            + " many bytes per second; 0B: only existence and"
                                            + " length are checked.")
                    DataSize readRate) {}
}
