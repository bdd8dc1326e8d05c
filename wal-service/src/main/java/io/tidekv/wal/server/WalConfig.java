package io.tidekv.wal.server;

import io.tidekv.common.config.DataSize;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Section;
import io.tidekv.common.config.Setting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Settings of a WAL node. */
public record WalConfig(
        @Setting(value = "127.0.0.1:20190", doc = "Where to listen; port 0 takes a free one.")
                HostPort addr,
        @Setting(doc = "What other processes are told; empty: as addr.") String advertiseAddr,
        @Setting(
                        value = "127.0.0.1:20200",
                        doc = "HTTP for /status /config /metrics /health; empty: none.")
                String statusAddr,
        @Setting(value = "127.0.0.1:2379", doc = "Addresses of PD.") List<String> pdEndpoints,
        @Setting(
                        value = "tidekv-wal",
                        doc = "Folder of the log. A node is its folder: never copy or share it.")
                Path dataDir,
        @Setting(doc = "Failure domain; the voters of a region are spread over zones.") String zone,
        @Section("The segments on disk.") Storage storage,
        @Section("What may wait in memory; beyond, senders are told to come back later.")
                Queues queues,
        @Section("Copies of the full log in the object store.") Archive archive) {

    /** Segments. */
    public record Storage(
            @Setting(value = "64MB", doc = "A segment is closed at this size; 1MB at least.")
                    DataSize segmentSize,
            @Setting(
                            value = "64MB",
                            doc = "Free space that appends leave; below it they are refused.")
                    DataSize reservedSpace) {
        public Storage {
            if (segmentSize.bytes() < 1 << 20 || segmentSize.bytes() > 1 << 30) {
                throw new IllegalArgumentException(
                        "storage.segment-size = " + segmentSize + ": expected 1MB to 1GB");
            }
        }
    }

    /** Bounds. */
    public record Queues(
            @Setting(value = "64MB", doc = "Requests that wait for the writer, of all senders.")
                    DataSize requestBytes,
            @Setting(
                            value = "2s",
                            doc = "A marker is written behind the last batch after this idle time.")
                    Duration syncMarkDelay) {}

    /** Copies of the log. */
    public record Archive(
            @Setting(
                            value = "false",
                            doc =
                                    "Whether full segments are copied to the object store, and kept"
                                            + " here until they are.")
                    boolean enabled,
            @Setting(
                            value = "",
                            doc =
                                    "The object store of the cluster: file:DIR or"
                                            + " s3://bucket/prefix?…",
                            secret = true)
                    String store,
            @Setting(
                            value = "1m",
                            doc =
                                    "A segment that holds anything is closed after this time, so"
                                            + " that the copies are not further behind.")
                    Duration interval,
            @Setting(value = "7d", doc = "Copies are deleted when they are this old; 0s: never.")
                    Duration retention) {
        public Archive {
            if (interval.toMillis() < 1000) {
                throw new IllegalArgumentException(
                        "archive.interval = " + interval + ": expected 1s or more");
            }
            if (retention.isNegative()) {
                throw new IllegalArgumentException("archive.retention: expected a duration");
            }
            if (enabled && store.isEmpty()) {
                throw new IllegalArgumentException(
                        "archive.enabled needs archive.store: name the cluster's object store");
            }
        }
    }

    /** What other processes are told. */
    String advertised(int port) {
        return advertiseAddr.isEmpty() ? addr.withPort(port).toString() : advertiseAddr;
    }
}
