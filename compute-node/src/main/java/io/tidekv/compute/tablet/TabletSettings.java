package io.tidekv.compute.tablet;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Settings of a {@link TabletStore}.
 *
 * @param clusterId records of other clusters are refused
 * @param apiMode 1 = V1, 2 = V1TTL; records of other modes are refused
 * @param folder local table files; on the file system of the SST cache, for files are hard links of
 *     the cache's. Emptied at start
 * @param scratch small metadata of open tablets, a few 10 KB each: best in memory. Emptied of what
 *     dead processes have left
 * @param blockCacheBytes blocks, indexes and filters of all tablets
 * @param memtablesBytes memtables of all tablets; beyond it RocksDB flushes by itself
 * @param memtableBytes one memtable of one column family; when it is full the tablet is flushed
 * @param tableBytes smallest size of full files that compactions write; those of large levels grow
 *     to three and a half times as much
 * @param maxOpenFiles open table files per tablet
 * @param compactAtFiles files in level 0 of a column family from which on they are compacted
 * @param backgroundBytesPerSecond what flushes and compactions of all tablets write at most,
 *     flushes first
 * @param warmBytesPerSecond what is fetched at most without a read that waits for it
 * @param flushDeadline how long a publication waits for a flush
 * @param hydrateInBackground whether opened tablets fetch all their files by and by
 * @param granules how files are read that are not here
 */
public record TabletSettings(
        long clusterId,
        int apiMode,
        Path folder,
        Path scratch,
        long blockCacheBytes,
        long memtablesBytes,
        long memtableBytes,
        long tableBytes,
        int maxOpenFiles,
        int compactAtFiles,
        long backgroundBytesPerSecond,
        long warmBytesPerSecond,
        Duration flushDeadline,
        boolean hydrateInBackground,
        GranuleSettings granules) {
    private static final long MB = 1L << 20;

    /** Sensible values for a small machine; {@code scratch} on /dev/shm where there is room. */
    public static TabletSettings of(long clusterId, int apiMode, Path folder) {
        return new TabletSettings(
                clusterId,
                apiMode,
                folder,
                Path.of("/dev/shm"),
                128 * MB,
                128 * MB,
                62 * MB,
                16 * MB,
                256,
                8,
                128 * MB,
                64 * MB,
                Duration.ofSeconds(30),
                true,
                GranuleSettings.NONE);
    }
}
