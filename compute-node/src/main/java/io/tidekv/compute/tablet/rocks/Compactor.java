package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.CompactionOptions;
import org.rocksdb.LevelMetaData;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileMetaData;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs compactions, whose inputs are fetched before: RocksDB would fail on absent ones. One job
 * after the other on a pool of its own, the tablets in turn; results appear with the tablet's next
 * record.
 */
final class Compactor {
    private static final Logger log = LoggerFactory.getLogger(Compactor.class);

    /** How often one job may find that RocksDB wants a file more than we have thought of. */
    private static final int ATTEMPTS_MAX = 10;

    private final TabletSettings settings;
    private final CompactionPicker picker;
    private final Executor pool;

    Compactor(TabletSettings settings, Executor pool) {
        this.settings = settings;
        this.picker = new CompactionPicker(settings.compactAtFiles(), settings.tableBytes());
        this.pool = pool;
    }

    /** Begins a compaction in the background if one is due and none runs. Never blocks. */
    void consider(RocksTablet tablet) {
        if (!isDue(tablet) || !tablet.compacting().compareAndSet(false, true)) {
            return;
        }
        submit(tablet);
    }

    private void submit(RocksTablet tablet) {
        try {
            pool.execute(() -> run(tablet));
        } catch (RejectedExecutionException e) {
            // The next publication asks again.
            tablet.compacting().set(false);
        }
    }

    /** Cheap: levels below 0 only grow by compactions, which look after them. */
    private boolean isDue(RocksTablet tablet) {
        if (tablet.garbage().wantsRewrite()) {
            return true;
        }
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

    /** One job, then the other tablets' turn. */
    private void run(RocksTablet tablet) {
        boolean more = false;
        try {
            if (tablet.instance().tryUse()) {
                try {
                    more = compactOnce(tablet);
                } finally {
                    tablet.instance().release();
                }
            }
        } catch (KvException e) {
            log.info("compaction of region {} waits: {}", tablet.regionId(), e.getMessage());
        } finally {
            if (more) {
                submit(tablet);
            } else {
                tablet.compacting().set(false);
            }
        }
    }

    /** Compacts until nothing is due. The caller holds a use of the instance. */
    void compact(RocksTablet tablet) {
        boolean more = true;
        while (more) {
            more = compactOnce(tablet);
        }
    }

    /** Says whether there was something to compact, and it has been. */
    private boolean compactOnce(RocksTablet tablet) {
        if (tablet.garbage().takeRewrite()) {
            rewrite(tablet);
            return true;
        }
        for (int family = 0; family <= RecordFiles.META && !tablet.instance().closing(); family++) {
            List<CompactionPicker.Input> files = files(tablet, family);
            CompactionPicker.Pick pick = picker.pick(files);
            if (pick != null) {
                return compact(tablet, family, files, pick);
            }
        }
        return false;
    }

    /** Everything into the bottom level, where deletions end together with what they delete. */
    private void rewrite(RocksTablet tablet) {
        boolean any = false;
        for (int family = 0; family <= RecordFiles.META && !tablet.instance().closing(); family++) {
            List<CompactionPicker.Input> files = files(tablet, family);
            CompactionPicker.Pick pick = CompactionPicker.everything(files);
            any |= pick != null && compact(tablet, family, files, pick);
        }
        if (any) {
            tablet.publication().changedBeside();
        }
    }

    private static List<CompactionPicker.Input> files(RocksTablet tablet, int family) {
        Instance instance = tablet.instance();
        @Nullable PreparedRecord base = tablet.publication().base();
        Map<Long, SstFile> published =
                base == null ? Map.of() : RecordFiles.byNumber(base.record());
        List<CompactionPicker.Input> files = new ArrayList<>();
        for (LevelMetaData level :
                instance.db().getColumnFamilyMetaData(instance.family(family)).levels()) {
            for (SstFileMetaData file : level.files()) {
                long number = LiveSet.number(file.fileName());
                SstFile known = published.get(number);
                // RocksDB counts rows of files that it has opened, records of all that are in them.
                double rows = known == null ? file.numEntries() : known.getEntries();
                double deletions = known == null ? file.numDeletions() : known.getDeletions();
                files.add(
                        new CompactionPicker.Input(
                                number,
                                level.level(),
                                file.size(),
                                file.smallestKey(),
                                file.largestKey(),
                                Math.min(1, deletions / Math.max(1, rows)),
                                tablet.files().isWhole(number)));
            }
        }
        return files;
    }

    private boolean compact(
            RocksTablet tablet,
            int family,
            List<CompactionPicker.Input> all,
            CompactionPicker.Pick pick) {
        List<Long> numbers = pick.inputs().stream().map(CompactionPicker.Input::number).toList();
        long tableBytes = picker.tableBytes(all, pick);
        LocalFiles files = tablet.files();
        files.hold(numbers);
        try {
            files.ensure(numbers);
            for (int attempt = 0; ; attempt++) {
                try {
                    compact(tablet.instance(), family, numbers, pick, tableBytes);
                    return true;
                } catch (RocksDBException e) {
                    if (tablet.instance().closing() || Failures.code(e) == Status.Code.Incomplete) {
                        return false;
                    }
                    boolean isMissing =
                            Failures.code(e) == Status.Code.IOError || files.namesPart(e);
                    if (attempt >= ATTEMPTS_MAX || !isMissing) {
                        log.warn(
                                "compaction of region {} failed, the next publication tries"
                                        + " again: {}",
                                tablet.regionId(),
                                Failures.describe(e));
                        return false;
                    }
                    files.recover(e, attempt, true);
                }
            }
        } finally {
            files.hold(List.of());
        }
    }

    private static void compact(
            Instance instance,
            int family,
            List<Long> numbers,
            CompactionPicker.Pick pick,
            long tableBytes)
            throws RocksDBException {
        List<String> names = numbers.stream().map(ManifestWriter::tableName).toList();
        try (CompactionOptions options =
                new CompactionOptions().setOutputFileSizeLimit(tableBytes)) {
            instance.db()
                    .compactFiles(
                            options, instance.family(family), names, pick.outputLevel(), -1, null);
        }
    }
}
