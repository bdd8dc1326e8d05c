package io.tidekv.compute.tablet.rocks;

import io.tidekv.compute.tablet.TabletSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.DbPath;
import org.rocksdb.Env;
import org.rocksdb.FlushOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Priority;
import org.rocksdb.RateLimiter;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RocksDB objects that all tablets of a process share: caches and options. Closed after the last
 * tablet.
 */
final class NativeOptions implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NativeOptions.class);
    private static final int FLUSH_THREADS = 2;

    /** Level 0 never stops writes: how many files it has is bounded by our own compaction. */
    private static final int NEVER = 1 << 20;

    private final TabletSettings settings;
    private final Cache blocks;
    private final WriteBufferManager memtables;
    private final BloomFilter bloom;
    private final RateLimiter rate;
    private final ColumnFamilyOptions families;
    private final WriteOptions writes;
    private final FlushOptions flushes;
    private final ReadOptions persisted;
    private final AtomicInteger instances = new AtomicInteger();

    NativeOptions(TabletSettings settings) {
        NativeLibrary.load();
        RocksDB.loadLibrary();
        this.settings = settings;
        Env.getDefault().setBackgroundThreads(FLUSH_THREADS, Priority.HIGH);
        blocks = new LRUCache(settings.blockCacheBytes());
        memtables = new WriteBufferManager(settings.memtablesBytes(), blocks);
        bloom = new BloomFilter(10);
        rate = new RateLimiter(settings.backgroundBytesPerSecond());
        families = families();
        // A write that would have to wait fails instead, so that the region's thread never hangs.
        writes = new WriteOptions().setDisableWAL(true).setNoSlowdown(true);
        flushes = new FlushOptions().setWaitForFlush(false).setAllowWriteStall(true);
        persisted = new ReadOptions().setReadTier(ReadTier.PERSISTED_TIER);
    }

    private ColumnFamilyOptions families() {
        BlockBasedTableConfig table =
                new BlockBasedTableConfig()
                        .setBlockCache(blocks)
                        .setFilterPolicy(bloom)
                        .setBlockSize(8 << 10)
                        .setFormatVersion(6)
                        .setCacheIndexAndFilterBlocks(true)
                        .setCacheIndexAndFilterBlocksWithHighPriority(true);
        return new ColumnFamilyOptions()
                .setTableFormatConfig(table)
                .setArenaBlockSize(64 << 10)
                .setWriteBufferSize(settings.memtableBytes())
                .setMaxWriteBufferNumber(4)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setTargetFileSizeBase(settings.tableBytes())
                .setDisableAutoCompactions(true)
                .setLevel0SlowdownWritesTrigger(NEVER)
                .setLevel0StopWritesTrigger(NEVER)
                .setSoftPendingCompactionBytesLimit(0)
                .setHardPendingCompactionBytesLimit(0);
    }

    /** Options of one tablet; the caller closes them after the database. */
    DBOptions database(Path tables) {
        return new DBOptions()
                .setCreateIfMissing(false)
                .setCreateMissingColumnFamilies(false)
                .setDbPaths(List.of(new DbPath(tables, Long.MAX_VALUE)))
                .setAtomicFlush(true)
                // Absent files are no reason to refuse a tablet, nor is a failed flush to stop it.
                .setParanoidChecks(false)
                .setSkipStatsUpdateOnDbOpen(true)
                .setAvoidFlushDuringShutdown(true)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setMaxOpenFiles(settings.maxOpenFiles())
                .setManifestPreallocationSize(16 << 10)
                .setWriteBufferManager(memtables)
                .setRateLimiter(rate)
                .setInfoLogLevel(InfoLogLevel.ERROR_LEVEL)
                .setKeepLogFileNum(1);
    }

    /** A database was opened with these options, or (-1) closed. */
    void instances(int change) {
        instances.addAndGet(change);
    }

    ColumnFamilyOptions columnFamily() {
        return families;
    }

    WriteOptions writes() {
        return writes;
    }

    FlushOptions flushes() {
        return flushes;
    }

    /** Reads what files hold and memtables do not; it does so only because the WAL is off. */
    ReadOptions persisted() {
        return persisted;
    }

    TabletSettings settings() {
        return settings;
    }

    @Override
    public void close() {
        int open = instances.get();
        if (open != 0) {
            // Taking its cache from an open database would end the process.
            log.error("{} tablets are still in use: their memory is not freed", open);
            return;
        }
        persisted.close();
        flushes.close();
        writes.close();
        families.close();
        rate.close();
        bloom.close();
        memtables.close();
        blocks.close();
    }
}
