package io.tidekv.wal.server;

import io.tidekv.common.config.HostPort;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.wal.archive.Archiver;
import io.tidekv.wal.service.ServiceStatus;
import io.tidekv.wal.service.VoterService;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.StorageStats;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the node shows of itself. Thread-safe. */
final class NodePages {
    private static final long PATIENCE_MS = 500;

    private final VoterService service;
    private final @Nullable Archiver archiver;
    private final Metrics metrics;
    private final Supplier<String> config;
    private volatile ServiceStatus last =
            new ServiceStatus(0, 0, 0, 0, 0, new StorageStats(0, 0, 0, 0, 0, 0));

    NodePages(
            VoterService service,
            @Nullable Archiver archiver,
            Metrics metrics,
            Supplier<String> config) {
        this.service = service;
        this.archiver = archiver;
        this.metrics = metrics;
        this.config = config;
        metrics.gauge("tidekv_wal_regions", "Regions with a voter here.", () -> last.regions());
        metrics.gauge(
                "tidekv_wal_learners",
                "Regions that do not count here before they have caught up.",
                () -> last.learners());
        metrics.gauge("tidekv_wal_segments", "Segment files.", () -> last.storage().segments());
        metrics.gauge(
                "tidekv_wal_segment_bytes",
                "Length of the segment files.",
                () -> last.storage().segmentBytes());
        metrics.gauge(
                "tidekv_wal_live_bytes",
                "What of the segments is still needed.",
                () -> last.storage().liveBytes());
        metrics.gauge("tidekv_wal_syncs", "Syncs since the start.", () -> last.storage().syncs());
    }

    /** The counts, perhaps older ones when the disk keeps the writer busy. */
    ServiceStatus status() {
        try {
            last = service.status().get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            return last;
        }
        return last;
    }

    StatusServer start(HostPort address, Supplier<NodeIdentity> identity, Supplier<String> problem)
            throws IOException {
        return StatusServer.builder()
                .metrics(metrics)
                .config(config)
                .health(problem)
                .status(() -> page(identity.get(), problem.get()))
                .start(address);
    }

    private Map<String, Object> page(NodeIdentity identity, String problem) {
        ServiceStatus status = status();
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("wal_id", identity.walId());
        page.put("cluster_id", Long.toUnsignedString(identity.clusterId()));
        page.put("uuid", identity.uuid().toString());
        page.put("problem", problem);
        page.put("regions", status.regions());
        page.put("catching_up", status.learners());
        page.put("sessions", status.sessions());
        page.put("requests", status.requests());
        page.put("appends", status.appends());
        page.put("segments", status.storage().segments());
        page.put("segment_bytes", status.storage().segmentBytes());
        page.put("live_bytes", status.storage().liveBytes());
        page.put("syncs", status.storage().syncs());
        page.put("refused_disk_full", status.storage().full());
        if (archiver != null) {
            page.put("archive_problem", archiver.problem());
            page.put("archive_lag_bytes", archiver.lagBytes());
            page.put("archived_before_segment", archiver.firstWanted());
        }
        return page;
    }
}
