package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.rocksdb.ColumnFamilyMetaData;
import org.rocksdb.CompactionJobInfo;
import org.rocksdb.CompactionOptions;
import org.rocksdb.LevelMetaData;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileMetaData;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps level 0 short, for every read looks into each of its files: from a number of files on, all
 * of level 0 goes into the lowest level with what overlaps it there. Runs on a pool of its own;
 * results appear with the tablet's next record.
 */
final class Compactor {
    private static final Logger log = LoggerFactory.getLogger(Compactor.class);
    private static final int LOWEST_LEVEL = 6;

    private final TabletSettings settings;
    private final Executor pool;

    Compactor(TabletSettings settings, Executor pool) {
        this.settings = settings;
        this.pool = pool;
    }

    /** Begins a compaction in the background if one is due and none runs. Never blocks. */
    void consider(RocksTablet tablet) {
        if (!isDue(tablet) || !tablet.compacting().compareAndSet(false, true)) {
            return;
        }
        try {
            pool.execute(() -> run(tablet));
        } catch (RejectedExecutionException e) {
            // The next publication asks again.
            tablet.compacting().set(false);
        }
    }

    private boolean isDue(RocksTablet tablet) {
        for (int family = 0; family <= RecordFiles.META; family++) {
            if (levelZero(tablet.instance(), family) >= settings.compactAtFiles()) {
                return true;
            }
        }
        return false;
    }

    private static long levelZero(Instance instance, int family) {
        try {
            String files =
                    instance.db()
                            .getProperty(instance.family(family), "rocksdb.num-files-at-level0");
            return Long.parseLong(files);
        } catch (RocksDBException e) {
            throw new IllegalStateException("RocksDB does not count level 0", e);
        }
    }

    private void run(RocksTablet tablet) {
        try {
            if (tablet.instance().tryUse()) {
                try {
                    compact(tablet);
                } finally {
                    tablet.instance().release();
                }
            }
        } catch (KvException e) {
            log.info("compaction of region {} waits: {}", tablet.regionId(), e.getMessage());
        } finally {
            tablet.compacting().set(false);
        }
    }

    /** Compacts every column family that has grown too long. */
    void compact(RocksTablet tablet) {
        for (int family = 0; family <= RecordFiles.META; family++) {
            if (!tablet.instance().closing()
                    && levelZero(tablet.instance(), family) >= settings.compactAtFiles()) {
                compact(tablet, family);
            }
        }
    }

    private void compact(RocksTablet tablet, int family) {
        Instance instance = tablet.instance();
        List<SstFileMetaData> inputs =
                inputs(instance.db().getColumnFamilyMetaData(instance.family(family)));
        List<Long> numbers = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (SstFileMetaData file : inputs) {
            numbers.add(LiveSet.number(file.fileName()));
            names.add(file.fileName());
        }
        tablet.files().ensure(numbers);
        try (CompactionOptions options =
                        new CompactionOptions().setOutputFileSizeLimit(settings.tableBytes());
                CompactionJobInfo job = new CompactionJobInfo()) {
            instance.db()
                    .compactFiles(options, instance.family(family), names, LOWEST_LEVEL, -1, job);
        } catch (RocksDBException e) {
            if (Failures.code(e) != Status.Code.Incomplete) {
                log.warn(
                        "compaction of region {} failed, the next publication tries again: {}",
                        tablet.regionId(),
                        Failures.describe(e));
            }
        }
    }

    /** All of level 0 and all below that overlaps it: RocksDB would add the same by itself. */
    private static List<SstFileMetaData> inputs(ColumnFamilyMetaData family) {
        List<SstFileMetaData> inputs = new ArrayList<>();
        byte[] smallest = null;
        byte[] largest = null;
        for (LevelMetaData level : family.levels()) {
            for (SstFileMetaData file : level.files()) {
                boolean taken =
                        level.level() == 0
                                || (smallest != null
                                        && largest != null
                                        && Arrays.compareUnsigned(file.largestKey(), smallest) >= 0
                                        && Arrays.compareUnsigned(file.smallestKey(), largest)
                                                <= 0);
                if (taken) {
                    inputs.add(file);
                }
            }
            // The next level must be closed under what this one has added.
            for (SstFileMetaData file : inputs) {
                if (smallest == null || Arrays.compareUnsigned(file.smallestKey(), smallest) < 0) {
                    smallest = file.smallestKey();
                }
                if (largest == null || Arrays.compareUnsigned(file.largestKey(), largest) > 0) {
                    largest = file.largestKey();
                }
            }
        }
        return inputs;
    }
}
