package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.common.codec.EntryAssembler;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.proto.region.CommitMerge;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A region's log applied to one of its records outside of a running cluster, by the rules by which
 * a leader applies it. Records that the log publishes are passed over: what they hold is applied
 * from the log itself. Blocks; one thread at a time.
 */
public final class LogReplay implements AutoCloseable {
    private final Tablet tablet;
    private final LogApplier applier;
    private final Runnable pause;
    private final EntryAssembler parts = new EntryAssembler();
    private final EntryAssembler parentParts = new EntryAssembler();
    private final List<SplitChild> born = new ArrayList<>();

    private LogReplay(
            TabletStore tablets, @Nullable PreparedRecord base, RegionState state, Runnable pause) {
        this.tablet = tablets.open(base, state.shape());
        this.applier =
                new LogApplier(
                        new RegionMachine(state, base == null ? null : base.ref()),
                        tablet,
                        (entry, outcome) -> {
                            if (outcome instanceof Outcome.HasSplit split) {
                                born.addAll(split.children());
                            }
                        });
        this.pause = pause;
    }

    /**
     * Opens the record; blocks and throws as {@link TabletStore#open}.
     *
     * @param pause waits a moment, for a tablet that is flushing
     */
    public static LogReplay open(TabletStore tablets, PreparedRecord base, Runnable pause) {
        return new LogReplay(tablets, base, RegionState.of(base.record()), pause);
    }

    /** Begins before the first entry of a region that holds nothing. */
    public static LogReplay empty(TabletStore tablets, RegionShape shape, Runnable pause) {
        return new LogReplay(tablets, null, RegionState.fresh(shape), pause);
    }

    /** The region as of the last applied entry. */
    public Tablet tablet() {
        return tablet;
    }

    /** Children of the splits among the entries that have been applied. */
    public List<SplitChild> born() {
        return List.copyOf(born);
    }

    /** Applies the next entry; a part waits for the rest of its entry. */
    public void apply(Entry entry) {
        Entry whole = parts.add(entry);
        if (whole != null) {
            if (whole.getKind() == EntryKind.COMMIT_MERGE) {
                checkBase(whole);
            }
            boolean publishes = whole.getKind() == EntryKind.MANIFEST_COMMIT;
            applyWhole(
                    publishes
                            ? whole.toBuilder().setKind(EntryKind.NOOP).clearData().build()
                            : whole);
        }
    }

    /** What a merge brings is in its record: on another one the log cannot go on. */
    private void checkBase(Entry merge) {
        PreparedRecord base = tablet.base();
        CommitMerge commit = RegionMachine.commitMerge(merge);
        Invariants.check(
                base != null && base.ref().equals(commit.getRecord().getRecord()),
                "entry %s takes region %s over with another record than the one that is opened",
                merge.getIndex(),
                commit.getSource().getShape().getRegionId());
    }

    private void applyWhole(Entry entry) {
        applier.add(List.of(entry));
        while (!applier.drain()) {
            pause.run();
        }
    }

    /** Applies the part that concerns this region of what its parent wrote before the split. */
    public void inherit(Entry entry) {
        Entry whole = parentParts.add(entry);
        if (whole == null || whole.getKind() != EntryKind.WRITE) {
            return;
        }
        ByteString within = BatchBytes.within(whole.getData(), tablet.state().shape());
        while (within != null && !inherited(within)) {
            pause.run();
        }
    }

    private boolean inherited(ByteString batch) {
        try {
            tablet.inherit(batch);
            return true;
        } catch (KvException e) {
            if (e.error() instanceof KvError.ServerIsBusy) {
                return false;
            }
            throw e;
        }
    }

    /**
     * Applies a batch that is in nobody's log, in place of the next entry; {@link #apply} must not
     * follow.
     */
    public void amend(@Nullable ByteString batch) {
        if (batch != null) {
            AppliedMark last = tablet.applied();
            applyWhole(
                    Entry.newBuilder()
                            .setIndex(last.index() + 1)
                            .setTerm(last.term())
                            .setKind(EntryKind.WRITE)
                            .setData(batch)
                            .build());
        }
    }

    @Override
    public void close() {
        tablet.close();
    }
}
