package io.tidekv.compute.server;

import io.tidekv.common.config.DataSize;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Section;
import io.tidekv.common.config.Setting;
import io.tidekv.compute.compaction.CompactionOptions;
import io.tidekv.objects.cost.Prices;
import io.tidekv.objects.gc.GcOptions;
import io.tidekv.objects.worker.WorkerConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Settings of a compute process. Names of TiKV's configuration are kept where it has them. */
public record ComputeConfig(
        @Setting(
                        value = "127.0.0.1:20160",
                        doc = "Where to listen for clients. Port 0 takes a free one.")
                HostPort addr,
        @Setting(doc = "What clients and PD are told. Empty: as addr.") String advertiseAddr,
        @Setting(
                        value = "127.0.0.1:20180",
                        doc = "HTTP for /status /config /metrics /health. Port 0: a free one.")
                HostPort statusAddr,
        @Setting(
                        value = "tidekv-compute",
                        doc =
                                "Folder of a cache, for this process alone. It may be deleted"
                                        + " between two starts.")
                Path dataDir,
        @Setting(
                        value = "file:tidekv-objects",
                        doc =
                                "Where the data are: file:DIR, or"
                                        + " s3://bucket/prefix?endpoint=…. The same for all stores"
                                        + " of a cluster.",
                        secret = true)
                String objectStore,
        @Section("Where PD is.") Pd pd,
        @Section("API mode; it must be the cluster's.") Storage storage,
        @Section("Regions and their sizes.") Coprocessor coprocessor,
        @Section("How regions are driven and published.") Region region,
        @Section("Leases that WAL nodes grant.") Wal wal,
        @Section("Local copies of table files.") Cache cache,
        @Section("Memory of the tablets.") Tablet tablet,
        @Section("Compactions that workers do.") Compaction compaction,
        @Section("Collection of objects that nobody needs any more.") Gc gc,
        @Section("Prices of the object store, for metrics.") Prices prices) {

    public ComputeConfig {
        if (objectStore.isBlank()) {
            throw new IllegalArgumentException("object-store: expected a URI such as file:DIR");
        }
    }

    /** Where PD is. */
    public record Pd(
            @Setting(value = "127.0.0.1:2379", doc = "Addresses of one or more members.")
                    List<String> endpoints) {
        public Pd {
            if (endpoints.isEmpty()) {
                throw new IllegalArgumentException("pd.endpoints: expected at least one address");
            }
        }
    }

    /** API mode. */
    public record Storage(
            @Setting(value = "1", doc = "1 or 2: with 2 the first byte of a key says whose it is.")
                    int apiVersion,
            @Setting(
                            value = "false",
                            doc = "Raw values may carry an expiry time; in version 2 always.")
                    boolean enableTtl) {
        public Storage {
            if (apiVersion != 1 && apiVersion != 2) {
                throw new IllegalArgumentException("storage.api-version: expected 1 or 2");
            }
        }

        /** 1 = V1, 2 = V1TTL, 3 = V2. */
        public int apiMode() {
            return apiVersion == 2 ? 3 : enableTtl ? 2 : 1;
        }
    }

    /** Sizes of regions. */
    public record Coprocessor(
            @Setting(value = "256MB", doc = "A region that has grown to this is split. 0B: never.")
                    DataSize regionSplitSize,
            @Setting(
                            value = "20000",
                            doc =
                                    "A region with so many written keys per second, for 10 s, is"
                                            + " split, so that others can take a part. 0: never.")
                    long regionSplitWrites) {
        public Coprocessor {
            if (regionSplitWrites < 0) {
                throw new IllegalArgumentException(
                        "coprocessor.region-split-writes: expected 0 or more");
            }
        }
    }

    /** Driving and publishing. */
    public record Region(
            @Setting(value = "1", doc = "Threads that drive regions; 1 or 2 per four cores.")
                    int loops,
            @Setting(value = "56MB", doc = "A region with so much unpublished is published.")
                    DataSize publishSize,
            @Setting(value = "60s", doc = "One with anything unpublished for so long is, too.")
                    Duration publishInterval,
            @Setting(
                            value = "512MB",
                            doc =
                                    "Applied but unpublished bytes of all regions. Beyond it writes"
                                            + " are refused until the object store takes records.")
                    DataSize unpublishedLimit,
            @Setting(value = "256MB", doc = "Writes of all regions that wait for the log.")
                    DataSize proposalLimit,
            @Setting(value = "32MB", doc = "Largest write.") DataSize entryMaxSize,
            @Setting(value = "10s", doc = "After this the fate of a write is called unknown.")
                    Duration proposalTimeout,
            @Setting(value = "5s", doc = "Longest orderly end; the rest is taken over.")
                    Duration shutdownTimeout,
            @Setting(
                            value = "256",
                            doc =
                                    "Regions open their tablets without being asked while fewer"
                                            + " are open.")
                    int tabletsKept,
            @Setting(
                            value = "5m",
                            doc =
                                    "A tablet that nobody has used for so long is closed; the next"
                                            + " request opens it. A tenth of it while more than"
                                            + " tablets-kept are open. 0s: never.")
                    Duration tabletIdle) {
        public Region {
            if (tabletsKept < 0) {
                throw new IllegalArgumentException("region.tablets-kept: expected 0 or more");
            }
            if (tabletIdle.isNegative()) {
                throw new IllegalArgumentException("region.tablet-idle: expected 0s or more");
            }
            if (loops < 1 || loops > 64) {
                throw new IllegalArgumentException("region.loops: expected 1 to 64");
            }
            if (entryMaxSize.bytes() < 1 << 16 || entryMaxSize.bytes() > 48 << 20) {
                throw new IllegalArgumentException("region.entry-max-size: expected 64KB to 48MB");
            }
        }
    }

    /** Leases. */
    public record Wal(
            @Setting(
                            value = "1200ms",
                            doc = "How long a WAL node refuses other owners after an answer.")
                    Duration lease,
            @Setting(
                            value = "100ms",
                            doc = "Part of a lease given away for clocks that run unevenly.")
                    Duration leaseDrift,
            @Setting(value = "400ms", doc = "Pause between renewals of the leases.")
                    Duration renewInterval) {
        public Wal {
            if (renewInterval.compareTo(lease.minus(leaseDrift)) >= 0) {
                throw new IllegalArgumentException(
                        "wal.renew-interval: expected well below wal.lease - wal.lease-drift");
            }
        }
    }

    /** Local copies. */
    public record Cache(
            @Setting(
                            value = "10GB",
                            doc = "Table files kept on the local disk; files in use may exceed it.")
                    DataSize capacity,
            @Setting(
                            value = "64MB",
                            doc =
                                    "Fetched per second at most, for reads that are yet to come."
                                            + " 0B: nothing.")
                    DataSize warmRate,
            @Setting(
                            value = "4MB",
                            doc =
                                    "A table file that is not here and has this size or more is"
                                            + " fetched in pieces of 64KB for reads of single keys."
                                            + " 0B: files are fetched whole.")
                    DataSize granulesFrom) {}

    /** Memory. */
    public record Tablet(
            @Setting(value = "64MB", doc = "Cached blocks of all tablets.") DataSize blockCache,
            @Setting(value = "128MB", doc = "Memtables of all tablets.") DataSize memtables,
            @Setting(
                            value = "128MB",
                            doc = "Flushes and compactions of all tablets write so much a second.")
                    DataSize backgroundRate,
            @Setting(
                            doc =
                                    "Folder for a few 10 KB per open tablet, best in memory. Empty:"
                                            + " /dev/shm where it exists, else data-dir.")
                    String scratchDir) {}

    /** Compactions. */
    public record Compaction(
            @Setting(
                            value = "true",
                            doc =
                                    "Whether compactions go to `tidekv sst-uploader --pd …` while"
                                            + " one asks for them.")
                    boolean remote,
            @Setting(value = "16MB", doc = "Those of smaller inputs are always done here.")
                    DataSize remoteFrom,
            @Setting(value = "5m", doc = "One that has not come back after so long is done here.")
                    Duration remoteTimeout) {
        public Compaction {
            if (remoteTimeout.compareTo(GcOptions.GRACE_MIN) > 0 || remoteTimeout.isNegative()) {
                throw new IllegalArgumentException("compaction.remote-timeout: expected 0s to 10m");
            }
        }

        CompactionOptions options() {
            return new CompactionOptions(remote, remoteFrom.bytes(), remoteTimeout);
        }
    }

    /** Garbage in the object store. */
    public record Gc(
            @Setting(
                            value = "true",
                            doc =
                                    "Whether the store that leads the first region collects. To be"
                                            + " set alike on all stores.")
                    boolean enabled,
            @Setting(value = "10m", doc = "Pause between the end of a collection and the next.")
                    Duration interval,
            @Setting(
                            value = "1h",
                            doc =
                                    "What is found dead is deleted when it has been so for this"
                                            + " long, by the object store's clock; at least 10m.")
                    Duration grace,
            @Setting(value = "false", doc = "Only say in the log what would be deleted.")
                    boolean dryRun) {
        public Gc {
            if (grace.compareTo(GcOptions.GRACE_MIN) < 0) {
                throw new IllegalArgumentException("gc.grace: expected 10m or more");
            }
            if (interval.compareTo(Duration.ofSeconds(1)) < 0) {
                throw new IllegalArgumentException("gc.interval: expected 1s or more");
            }
        }

        WorkerConfig.Gc of(List<String> pd) {
            GcOptions others = GcOptions.DEFAULT;
            return new WorkerConfig.Gc(
                    String.join(",", pd),
                    interval,
                    grace,
                    others.margin(),
                    others.unknownAge(),
                    others.deletesPerSecond(),
                    dryRun);
        }
    }
}
