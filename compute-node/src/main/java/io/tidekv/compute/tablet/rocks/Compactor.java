package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.tablet.LentCompaction;
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
import java.util.function.BooleanSupplier;
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
    private volatile Lending lending = Lending.NONE;

    /**
     * When compactions are left to others.
     *
     * @param wanted whether somebody asks for one at present
     * @param bytesMin smaller ones are done here
     */
    record Lending(BooleanSupplier wanted, long bytesMin) {
        static final Lending NONE = new Lending(() -> false, Long.MAX_VALUE);
    }

    /** What {@link #compactOnce} has come to. */
    private enum Turn {
        NOTHING,
        DONE,
        LENT
    }

    Compactor(TabletSettings settings, Executor pool) {
        this.settings = settings;
        this.picker = new CompactionPicker(settings.compactAtFiles(), settings.tableBytes());
        this.pool = pool;
    }

    void lend(Lending rules) {
        lending = rules;
    }

    /**
     * Begins a compaction in the background if one is due and none runs. Never blocks. While others
     * ask for compactions it is left to {@link #published}: theirs are of published files.
     */
    void consider(RocksTablet tablet) {
        if (lending.wanted().getAsBoolean()) {
            tablet.defer(true);
        } else {
            begin(tablet, false);
        }
    }

    /** As {@link #consider} when the tablet's newest files are in a record that is current. */
    void published(RocksTablet tablet) {
        if (tablet.isDeferred() && tablet.instance().tryUse()) {
            try {
                tablet.defer(false);
                begin(tablet, true);
            } finally {
                tablet.instance().release();
            }
        }
    }

    /** One that was lent is to be done here. */
    void takenBack(RocksTablet tablet) {
        submit(tablet, false);
    }

    private void begin(RocksTablet tablet, boolean mayLend) {
        if (isDue(tablet) && tablet.compacting().compareAndSet(false, true)) {
            submit(tablet, mayLend);
        }
    }

    private void submit(RocksTablet tablet, boolean mayLend) {
        try {
            pool.execute(() -> run(tablet, mayLend));
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
    private void run(RocksTablet tablet, boolean mayLend) {
        Turn turn = Turn.NOTHING;
        try {
            if (tablet.instance().tryUse()) {
                try {
                    turn = compactOnce(tablet, mayLend);
                } finally {
                    tablet.instance().release();
                }
            }
        } catch (KvException e) {
            log.info("compaction of region {} waits: {}", tablet.regionId(), e.getMessage());
        } finally {
            if (turn == Turn.DONE) {
                submit(tablet, mayLend);
            } else if (turn == Turn.NOTHING) {
                tablet.compacting().set(false);
            }
        }
    }

    /** Compacts until nothing is due. The caller holds a use of the instance. */
    void compact(RocksTablet tablet) {
        Turn turn = Turn.DONE;
        while (turn == Turn.DONE) {
            turn = compactOnce(tablet, false);
        }
    }

    /** Compacts what is most urgent, or puts it aside for somebody else. */
    private Turn compactOnce(RocksTablet tablet, boolean mayLend) {
        if (tablet.garbage().takeRewrite()) {
            rewrite(tablet);
            return Turn.DONE;
        }
        // What is never published first: it is small.
        for (int family = RecordFiles.META; family >= 0 && !tablet.instance().closing(); family--) {
            List<CompactionPicker.Input> files = files(tablet, family);
            CompactionPicker.Pick pick = picker.pick(files);
            LentCompaction lent = mayLend && pick != null ? lendable(tablet, family, files) : null;
            if (lent != null) {
                tablet.lend(lent);
                return Turn.LENT;
            }
            if (pick != null) {
                return compact(tablet, family, files, pick) ? Turn.DONE : Turn.NOTHING;
            }
        }
        return Turn.NOTHING;
    }

    /**
     * A compaction of published files that a clone of the tablet's record can do; null when it is
     * not worth it, or when the tablet has compacted since.
     */
    private @Nullable LentCompaction lendable(
            RocksTablet tablet, int family, List<CompactionPicker.Input> files) {
        PreparedRecord base = tablet.publication().base();
        if (base == null || family == RecordFiles.META || !lending.wanted().getAsBoolean()) {
            return null;
        }
        Map<Long, SstFile> published = RecordFiles.ofFamily(base.record(), family);
        List<CompactionPicker.Input> known =
                files.stream().filter(file -> isIn(published, file)).toList();
        if (known.size() != published.size()) {
            return null;
        }
        CompactionPicker.Pick pick = picker.pick(known);
        if (pick == null || pick.bytes() < lending.bytesMin()) {
            return null;
        }
        return new LentCompaction(
                base,
                family,
                pick.inputs().stream().map(CompactionPicker.Input::number).toList(),
                pick.outputLevel(),
                pick.bytes(),
                picker.tableBytes(known, pick));
    }

    private static boolean isIn(Map<Long, SstFile> published, CompactionPicker.Input file) {
        SstFile known = published.get(file.number());
        return known != null && known.getLevel() == file.level();
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
        return compact(tablet, family, numbers, pick.outputLevel(), picker.tableBytes(all, pick));
    }

    /** Whether it has been done; the log says why not. The caller holds a use of the instance. */
    boolean compact(
            RocksTablet tablet, int family, List<Long> numbers, int level, long tableBytes) {
        LocalFiles files = tablet.files();
        files.hold(numbers);
        try {
            files.ensure(numbers);
            for (int attempt = 0; ; attempt++) {
                try {
                    compact(tablet.instance(), family, numbers, level, tableBytes);
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
            Instance instance, int family, List<Long> numbers, int level, long tableBytes)
            throws RocksDBException {
        List<String> names = numbers.stream().map(ManifestWriter::tableName).toList();
        try (CompactionOptions options =
                new CompactionOptions().setOutputFileSizeLimit(tableBytes)) {
            instance.db().compactFiles(options, instance.family(family), names, level, -1, null);
        }
    }
}
