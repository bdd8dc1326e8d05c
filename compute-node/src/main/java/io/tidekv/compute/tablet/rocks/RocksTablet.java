package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.BatchWalk;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.NewestCommit;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.garbage.Deletions;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;

/** A tablet on one RocksDB instance. */
final class RocksTablet implements Tablet {
    /** Entries are joined into one write of RocksDB up to about this many bytes. */
    private static final int JOIN_BYTES = 1 << 20;

    private final long regionId;
    private final Instance instance;
    private final LocalFiles files;
    private final Cells cells;
    private final Publication publication;
    private final NewestCommit newestCommit;
    private final Sizes sizes;
    private final Events events;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicBoolean compacting = new AtomicBoolean();
    private final Object publishing = new Object();

    /** Lock of the one write that may run. */
    private final Object writing = new Object();

    private final GarbageCollector.History garbage;
    private volatile AppliedMark applied;
    private volatile AppliedMark written;
    private volatile RegionState state;

    /** Batches of deletions applied beside the log; counted by who holds {@link #writing}. */
    private volatile long amendments;

    private volatile @Nullable LentCompaction lent;
    private volatile boolean deferred;

    /** What the store does when something has happened to a tablet; quick. */
    interface Events {
        /** It has a record that the region's log has made current. */
        void onPublished(RocksTablet tablet);

        /** A compaction was put aside for somebody else, who does not do it. */
        void onTakenBack(RocksTablet tablet);

        void onClose(RocksTablet tablet);
    }

    RocksTablet(
            Instance instance,
            LocalFiles files,
            Cells cells,
            @Nullable PreparedRecord base,
            RegionState state,
            GarbageCollector.History garbage,
            Events events) {
        this.regionId = state.shape().getRegionId();
        this.instance = instance;
        this.files = files;
        this.cells = cells;
        this.publication = new Publication(base);
        this.newestCommit = new NewestCommit(base == null ? null : base.record());
        this.sizes = new Sizes(instance, files, publication);
        this.state = state;
        this.garbage = garbage;
        this.events = events;
        this.applied = markOf(base);
        this.written = applied;
    }

    static AppliedMark markOf(@Nullable PreparedRecord base) {
        if (base == null) {
            return AppliedMark.NONE;
        }
        TabletRecord record = base.record();
        return new AppliedMark(record.getAppliedIndex(), record.getAppliedTerm());
    }

    @Override
    public RegionState state() {
        return state;
    }

    @Override
    public AppliedMark applied() {
        return applied;
    }

    /** The last entry whose mark RocksDB has, in memory or in a file. */
    AppliedMark written() {
        return written;
    }

    /** Batches of deletions that RocksDB has, in memory or in a file. */
    long amendments() {
        return amendments;
    }

    @Override
    public void apply(List<Entry> entries) {
        List<Entry> joined = new ArrayList<>();
        long bytes = 0;
        AppliedMark mark = applied;
        for (Entry entry : entries) {
            checkNext(mark, entry.getIndex(), entry.getParts());
            mark = new AppliedMark(entry.getIndex(), entry.getTerm());
            if (entry.getKind() != EntryKind.WRITE) {
                // Its mark rides with the next write: repeating it after a crash changes nothing.
                continue;
            }
            if (!joined.isEmpty() && bytes + entry.getData().size() > JOIN_BYTES) {
                write(joined);
                joined.clear();
                bytes = 0;
            }
            joined.add(entry);
            bytes += entry.getData().size();
        }
        if (!joined.isEmpty()) {
            write(joined);
        }
        applied = mark;
    }

    private void write(List<Entry> entries) {
        EntryBatch joined = EntryBatch.join(entries);
        byte[] batch = joined.bytes();
        newestCommit.saw(joined.newestCommitTs());
        try (WriteBatch write = new WriteBatch(batch)) {
            write(write);
        }
        Entry last = entries.get(entries.size() - 1);
        AppliedMark mark = new AppliedMark(last.getIndex(), last.getTerm());
        publication.applied(batch.length);
        written = mark;
        applied = mark;
    }

    @Override
    public void inherit(ByteString batch) {
        Invariants.check(applied.index() == 0, "a region that has a log of its own inherits");
        byte[] bytes = batch.toByteArray();
        newestCommit.saw(BatchWalk.over(batch).newestCommitTs());
        try (WriteBatch write = new WriteBatch(bytes)) {
            write(write);
        }
        publication.applied(bytes.length);
    }

    @Override
    public void applyState(AppliedMark mark, RegionState after) {
        applyMerge(mark, after, ByteString.EMPTY);
    }

    @Override
    public void applyMerge(AppliedMark mark, RegionState after, ByteString writes) {
        // The entry may have been one of parts.
        Invariants.check(
                mark.index() > applied.index(),
                "entry %s is applied after entry %s",
                mark.index(),
                applied.index());
        Invariants.check(after.shape().getRegionId() == regionId, "the state is of another region");
        byte[] stateCell = Cells.encode(after);
        newestCommit.saw(BatchWalk.over(writes).newestCommitTs());
        try (WriteBatch write =
                writes.isEmpty() ? new WriteBatch() : new WriteBatch(writes.toByteArray())) {
            write.put(instance.family(RecordFiles.META), Cells.MARK, Cells.encode(mark));
            write.put(instance.family(RecordFiles.META), Cells.STATE, stateCell);
            write(write);
        } catch (RocksDBException e) {
            throw Failures.unavailable(regionId, "cannot build a batch", e);
        }
        publication.applied(stateCell.length + writes.size());
        state = after;
        written = mark;
        applied = mark;
    }

    /**
     * Applies deletions that change no answer, beside the log and from any thread. Throws as {@link
     * #apply} does.
     */
    void amend(Deletions deletions) {
        if (deletions.isEmpty()) {
            return;
        }
        acquire();
        try (WriteBatch write = new WriteBatch(deletions.always().build().toByteArray())) {
            // Nothing is written between the comparison of a row and its deletion.
            synchronized (writing) {
                for (Deletions.Seen row : deletions.ifSame()) {
                    ColumnFamilyHandle family = instance.family(row.cf().id());
                    if (Arrays.equals(instance.db().get(family, row.key()), row.value())) {
                        write.delete(family, row.key());
                    }
                }
                long count = amendments + 1;
                byte[] cell = Cells.encode(count);
                write.put(instance.family(RecordFiles.META), Cells.AMENDMENTS, cell);
                write(write);
                amendments = count;
            }
        } catch (RocksDBException e) {
            throw Failures.unavailable(regionId, "cannot delete garbage", e);
        } finally {
            instance.release();
        }
    }

    private void write(WriteBatch batch) {
        acquire();
        try {
            synchronized (writing) {
                instance.db().write(instance.shared().writes(), batch);
            }
        } catch (RocksDBException e) {
            if (Failures.code(e) == Status.Code.Incomplete) {
                // Memtables are full and the flush is behind: asking again restarts one that hangs.
                requestFlush();
                throw Failures.busy("region " + regionId + " is flushing");
            }
            throw Failures.unavailable(regionId, "cannot write", e);
        } finally {
            instance.release();
        }
    }

    private void requestFlush() {
        try {
            instance.db().flush(instance.shared().flushes(), instance.families());
        } catch (RocksDBException e) {
            throw Failures.unavailable(regionId, "cannot flush", e);
        }
    }

    private static void checkNext(AppliedMark before, long index, long parts) {
        Invariants.check(
                index == before.index() + parts + 1,
                "entry %s is applied after entry %s",
                index,
                before.index());
    }

    @Override
    public KvSnapshot snapshot(RegionShape shape) {
        acquire();
        return new RocksSnapshot(instance, files, KeyRange.of(shape));
    }

    /** Begins a use of the instance; ends with {@code instance().release()}. */
    void acquire() {
        if (!instance.tryUse()) {
            throw Failures.busy("the tablet of region " + regionId + " is closed");
        }
    }

    /** Runs with a use of the instance. */
    private long measure(LongSupplier measurement) {
        acquire();
        try {
            return measurement.getAsLong();
        } finally {
            instance.release();
        }
    }

    @Override
    public long memtableBytes() {
        return measure(sizes::memtableBytes);
    }

    @Override
    public long unpublishedBytes() {
        return publication.unpublishedBytes();
    }

    @Override
    public boolean changedBesideLog() {
        return publication.hasChangedBeside();
    }

    @Override
    public long approximateBytes(byte[] from, byte[] to) {
        return measure(() -> sizes.bytes(KeyRange.of(from, to)));
    }

    @Override
    public long approximateKeys() {
        return measure(() -> sizes.keys(KeyRange.of(state.shape())));
    }

    @Override
    public boolean hydrated() {
        return files.complete();
    }

    @Override
    public void published(PreparedRecord record) {
        publication.published(record);
        files.rebase(record.record());
        events.onPublished(this);
    }

    @Override
    public @Nullable PreparedRecord base() {
        return publication.base();
    }

    @Override
    public Set<String> strays() {
        if (!files.hasRetired() || !instance.tryUse()) {
            return Set.of();
        }
        try {
            return files.retiredOf(instance.db().getLiveFilesMetaData());
        } finally {
            instance.release();
        }
    }

    @Override
    public @Nullable LentCompaction lent() {
        return lent;
    }

    /** Whether compactions are to be considered when the draft under way is published. */
    boolean isDeferred() {
        return deferred;
    }

    void defer(boolean compactions) {
        deferred = compactions;
    }

    /** Puts a compaction aside; who does so holds {@link #compacting}, which stays held. */
    void lend(LentCompaction compaction) {
        lent = compaction;
    }

    @Override
    public void takeBack() {
        if (lent != null) {
            lent = null;
            events.onTakenBack(this);
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            events.onClose(this);
            instance.close();
        }
    }

    long regionId() {
        return regionId;
    }

    Instance instance() {
        return instance;
    }

    LocalFiles files() {
        return files;
    }

    Cells cells() {
        return cells;
    }

    GarbageCollector.History garbage() {
        return garbage;
    }

    /** Held by the one compaction that may run, here or elsewhere. */
    AtomicBoolean compacting() {
        return compacting;
    }

    /** Lock of the one publication that may run. */
    Object publishing() {
        return publishing;
    }

    Publication publication() {
        return publication;
    }

    NewestCommit newestCommit() {
        return newestCommit;
    }
}
