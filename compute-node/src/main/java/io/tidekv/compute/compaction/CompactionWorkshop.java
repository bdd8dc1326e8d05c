package io.tidekv.compute.compaction;

import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.compute.tablet.rocks.RocksTabletStore;
import io.tidekv.compute.tablet.rocks.TabletWorkbench;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.compaction.CompactionDone;
import io.tidekv.proto.compaction.CompactionJob;
import io.tidekv.proto.manifest.SstFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a worker compacts: clones of tablets in a folder of its own, opened with the first job.
 * Thread-safe; to be closed when no job runs.
 */
final class CompactionWorkshop implements AutoCloseable {
    /** A job needs its inputs, as much for its outputs, and these once more in the cache. */
    private static final int COPIES = 3;

    private final ObjectStore cluster;
    private final long clusterId;
    private final @Nullable Path given;
    private final long diskBytes;
    private final StoreContext context;
    private @Nullable Tools tools;

    /**
     * @param cluster the cluster's part of the object store; stays the caller's
     * @param folder emptied at the first job; null: a temporary one
     * @param diskBytes no job may need more
     */
    CompactionWorkshop(
            ObjectStore cluster,
            long clusterId,
            @Nullable Path folder,
            long diskBytes,
            StoreContext context) {
        this.cluster = cluster;
        this.clusterId = clusterId;
        this.given = folder;
        this.diskBytes = diskBytes;
        this.context = context;
    }

    private record Tools(int apiMode, TabletWorkbench bench) {}

    /** Does a job. Blocks; what it throws says why it could not. */
    CompactionDone run(CompactionJob job) {
        RocksTabletStore tablets = tools(job.getApiMode()).bench.tablets();
        PreparedRecord record = tablets.load(job.getRegionId(), job.getRecord());
        Map<Long, SstFile> files = RecordFiles.ofFamily(record.record(), job.getColumnFamily());
        long bytes = 0;
        for (long input : job.getInputsList()) {
            SstFile file = files.get(input);
            if (file == null) {
                throw new IllegalArgumentException("the record has no file " + input);
            }
            bytes += file.getSize();
        }
        if (bytes > diskBytes / COPIES) {
            throw new IllegalArgumentException(
                    bytes + " bytes are too much for compaction.disk-limit");
        }
        LentCompaction compaction =
                new LentCompaction(
                        record,
                        job.getColumnFamily(),
                        job.getInputsList(),
                        job.getOutputLevel(),
                        bytes,
                        job.getTableBytes());
        Compacted result = tablets.compactClone(compaction, job.getTerm());
        return CompactionDone.newBuilder()
                .setJobId(job.getJobId())
                .addAllRemoved(result.removed())
                .addAllOutputs(result.outputs())
                .build();
    }

    private synchronized Tools tools(int apiMode) {
        Tools ready = tools;
        if (ready == null) {
            ready = open(apiMode);
            tools = ready;
        }
        if (ready.apiMode != apiMode) {
            throw new IllegalArgumentException("the cluster has another API mode");
        }
        return ready;
    }

    private Tools open(int apiMode) {
        try {
            Path folder =
                    given == null
                            ? Files.createTempDirectory("tidekv-compact")
                            : Files.createDirectories(given);
            return new Tools(
                    apiMode,
                    TabletWorkbench.open(
                            cluster,
                            clusterId,
                            apiMode,
                            folder,
                            diskBytes / COPIES,
                            false,
                            context));
        } catch (IOException e) {
            throw new UncheckedIOException("no folder to compact in: " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized void close() {
        Tools last = tools;
        tools = null;
        if (last != null) {
            last.bench.close();
        }
    }
}
