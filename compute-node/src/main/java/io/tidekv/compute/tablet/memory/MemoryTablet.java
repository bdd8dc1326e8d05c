package io.tidekv.compute.tablet.memory;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.MemoryEngine;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.BatchWalk;
import io.tidekv.compute.tablet.NewestCommit;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tablet in memory. Sizes are exact and found by walking. */
final class MemoryTablet implements Tablet {
    private final MemoryEngine engine = new MemoryEngine();
    private final NewestCommit newestCommit;
    private AppliedMark applied;
    // What a record would cover: as on disk, the mark is kept with what changes data or state only.
    private AppliedMark marked;
    private RegionState state;
    private @Nullable PreparedRecord base;
    private long unpublishedBytes;
    private long sequence;
    // Where the newest cut was made, and what has been applied since.
    private long cutIndex;
    private long afterCutBytes;

    MemoryTablet(@Nullable PreparedRecord base, RegionShape shape) {
        this.base = base;
        this.newestCommit = new NewestCommit(base == null ? null : base.record());
        if (base == null) {
            applied = AppliedMark.NONE;
            state = RegionState.fresh(shape);
        } else {
            TabletRecord record = base.record();
            applied = new AppliedMark(record.getAppliedIndex(), record.getAppliedTerm());
            state = RegionState.of(record).withShape(shape);
        }
        marked = applied;
    }

    void load(ByteString batch) {
        engine.apply(batch);
    }

    @Override
    public synchronized RegionState state() {
        return state;
    }

    @Override
    public synchronized AppliedMark applied() {
        return applied;
    }

    @Override
    public synchronized void apply(List<Entry> entries) {
        for (Entry entry : entries) {
            checkNext(entry.getIndex(), entry.getParts());
            if (entry.getKind() == EntryKind.WRITE) {
                newestCommit.saw(BatchWalk.over(entry.getData()).newestCommitTs());
                engine.apply(entry.getData());
                unpublishedBytes += entry.getData().size();
                afterCutBytes += entry.getData().size();
            }
            applied = new AppliedMark(entry.getIndex(), entry.getTerm());
            if (entry.getKind() == EntryKind.WRITE) {
                marked = applied;
            }
        }
    }

    @Override
    public synchronized void inherit(ByteString batch) {
        Invariants.check(applied.index() == 0, "a region that has a log of its own inherits");
        newestCommit.saw(BatchWalk.over(batch).newestCommitTs());
        engine.apply(batch);
        unpublishedBytes += batch.size();
        afterCutBytes += batch.size();
    }

    @Override
    public synchronized void applyState(AppliedMark mark, RegionState after) {
        checkLater(mark.index());
        state = after;
        applied = mark;
        marked = mark;
    }

    @Override
    public synchronized void applyMerge(AppliedMark mark, RegionState after, ByteString writes) {
        checkLater(mark.index());
        if (!writes.isEmpty()) {
            newestCommit.saw(BatchWalk.over(writes).newestCommitTs());
            engine.apply(writes);
            unpublishedBytes += writes.size();
            afterCutBytes += writes.size();
        }
        state = after;
        applied = mark;
        marked = mark;
    }

    /** The entry may have been one of parts. */
    private void checkLater(long index) {
        Invariants.check(
                index > applied.index(),
                "entry %s is applied after entry %s",
                index,
                applied.index());
    }

    private void checkNext(long index, long parts) {
        Invariants.check(
                index == applied.index() + parts + 1,
                "entry %s is applied after entry %s",
                index,
                applied.index());
    }

    @Override
    public KvSnapshot snapshot(RegionShape shape) {
        return engine.snapshot(shape.getStartKey().toByteArray(), shape.getEndKey().toByteArray());
    }

    /** What a record is made from, as of one moment. */
    record Cut(
            AppliedMark applied,
            RegionState state,
            @Nullable PreparedRecord base,
            long sequence,
            KvSnapshot content) {}

    synchronized Cut cut() {
        sequence++;
        cutIndex = marked.index();
        afterCutBytes = 0;
        return new Cut(marked, state, base, sequence, snapshot(state.shape()));
    }

    NewestCommit newestCommit() {
        return newestCommit;
    }

    @Override
    public synchronized long memtableBytes() {
        return unpublishedBytes;
    }

    @Override
    public synchronized long unpublishedBytes() {
        return unpublishedBytes;
    }

    @Override
    public long approximateBytes(byte[] from, byte[] to) {
        long bytes = 0;
        try (KvSnapshot content = engine.snapshot(from, to)) {
            for (Cf cf : Cf.values()) {
                try (KvIterator rows = content.iterator(cf, null, null)) {
                    for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                        bytes += rows.key().length + rows.value().length;
                    }
                }
            }
        }
        return bytes;
    }

    @Override
    public long approximateKeys() {
        long keys = 0;
        try (KvSnapshot content = snapshot(state().shape())) {
            for (Cf cf : Cf.values()) {
                try (KvIterator rows = content.iterator(cf, null, null)) {
                    for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                        keys++;
                    }
                }
            }
        }
        return keys;
    }

    @Override
    public boolean hydrated() {
        return true;
    }

    @Override
    public synchronized void published(PreparedRecord record) {
        base = record;
        if (record.record().getAppliedIndex() == cutIndex) {
            unpublishedBytes = afterCutBytes;
        }
    }

    @Override
    public synchronized @Nullable PreparedRecord base() {
        return base;
    }

    @Override
    public void close() {}
}
