package io.tidekv.objects.worker;

import io.tidekv.common.config.DataSize;
import io.tidekv.common.config.Section;
import io.tidekv.common.config.Setting;
import io.tidekv.objects.cost.Prices;
import io.tidekv.objects.gc.GcOptions;
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
        @Section("Collection of what nobody needs any more.") Gc gc,
        @Section("Compactions for the stores.") Compaction compaction,
        @Section("Prices of the object store, for metrics.") Prices prices) {

    /** Whether the process compacts for stores: it must know a PD that knows them. */
    public boolean compacts() {
        return !gc.pd().isEmpty() && compaction.jobs() > 0;
    }

    /** Compactions. */
    public record Compaction(
            @Setting(
                            value = "1",
                            doc =
                                    "Compactions done at a time for the stores that gc.pd knows;"
                                            + " without gc.pd, and with 0, none.")
                    int jobs,
            @Setting(
                            doc =
                                    "Folder for the tables of compactions under way, for this"
                                            + " process alone. Empty: a temporary one.")
                    String folder,
            @Setting(
                            value = "4GB",
                            doc =
                                    "What a compaction may need there, three times its inputs;"
                                            + " larger ones are left to the stores.")
                    DataSize diskLimit) {
        public Compaction {
            if (jobs < 0 || jobs > 64) {
                throw new IllegalArgumentException("compaction.jobs: expected 0 to 64");
            }
        }
    }

    /** Garbage. */
    public record Gc(
            @Setting(
                            value = "",
                            doc =
                                    "Addresses of PD, separated by commas. Without them it is not"
                                            + " known what is garbage, and nothing is collected.")
                    String pd,
            @Setting(value = "10m", doc = "Pause between the end of a collection and the next.")
                    Duration interval,
            @Setting(
                            value = "1h",
                            doc =
                                    "What is found dead is deleted when it has been so for this"
                                            + " long, by the object store's clock; at least 10m.")
                    Duration grace,
            @Setting(
                            value = "1m",
                            doc =
                                    "How far the clocks of the object store's servers may be"
                                            + " apart.")
                    Duration margin,
            @Setting(
                            value = "24h",
                            doc = "Objects of regions that nobody knows stay for at least so long.")
                    Duration unknownAge,
            @Setting(value = "200", doc = "Deletions per second at most.") int deletesPerSecond,
            @Setting(value = "false", doc = "Only say what would be deleted.") boolean dryRun) {
        public Gc {
            if (grace.compareTo(GcOptions.GRACE_MIN) < 0) {
                throw new IllegalArgumentException(
                        "gc.grace must be at least 10m: readers need that long");
            }
            if (margin.isNegative() || unknownAge.isNegative()) {
                throw new IllegalArgumentException("gc.margin and gc.unknown-age are durations");
            }
            if (deletesPerSecond < 1) {
                throw new IllegalArgumentException("gc.deletes-per-second must be at least 1");
            }
        }
    }

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
