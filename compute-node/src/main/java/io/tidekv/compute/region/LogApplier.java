package io.tidekv.compute.region;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.region.Entry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Applies committed entries to a region's machine and tablet, in order; consecutive ones that do
 * not concern the region itself reach the tablet as one list. A tablet that is busy for a moment
 * keeps its entries waiting here. One thread at a time.
 */
final class LogApplier {
    /** Told of entries that concern the region itself, once the tablet has them. */
    interface Listener {
        void onOutcome(Entry entry, Outcome outcome);
    }

    private final RegionMachine machine;
    private final Tablet tablet;
    private final Listener listener;
    private final ArrayDeque<Entry> waiting = new ArrayDeque<>();
    // The machine has taken the first waiting entry already, the tablet has not.
    private @Nullable Outcome taken;

    LogApplier(RegionMachine machine, Tablet tablet, Listener listener) {
        this.machine = machine;
        this.tablet = tablet;
        this.listener = listener;
    }

    void add(List<Entry> entries) {
        waiting.addAll(entries);
    }

    /** Whether everything has been applied. */
    boolean isDone() {
        return waiting.isEmpty();
    }

    /** Applies what waits; false when the tablet asks to come back in a moment. */
    boolean drain() {
        try {
            while (!waiting.isEmpty()) {
                applyRun();
                if (!waiting.isEmpty()) {
                    applyOne(waiting.element());
                }
            }
            return true;
        } catch (KvException e) {
            if (e.error() instanceof KvError.ServerIsBusy) {
                return false;
            }
            throw e;
        }
    }

    /** The entries up to the first that concerns the region itself. */
    private void applyRun() {
        List<Entry> run = new ArrayList<>();
        for (Entry entry : waiting) {
            if (concernsRegion(entry)) {
                break;
            }
            run.add(entry);
        }
        if (run.isEmpty()) {
            return;
        }
        try {
            tablet.apply(run);
        } finally {
            // A busy tablet may have taken some of them.
            long done = tablet.applied().index();
            while (!waiting.isEmpty() && waiting.element().getIndex() <= done) {
                waiting.remove();
            }
        }
    }

    private void applyOne(Entry entry) {
        Outcome outcome = taken == null ? machine.apply(entry) : taken;
        taken = outcome;
        AppliedMark mark = new AppliedMark(entry.getIndex(), entry.getTerm());
        if (outcome instanceof Outcome.HasSplit
                || outcome instanceof Outcome.ChildGone
                || outcome instanceof Outcome.Flashbacked
                || outcome instanceof Outcome.MergeDone) {
            tablet.applyState(mark, machine.state());
        } else if (outcome instanceof Outcome.Merged merged && stands(merged)) {
            tablet.applyMerge(mark, machine.state(), merged.commit().getWrites());
        } else {
            tablet.apply(List.of(entry));
        }
        taken = null;
        waiting.remove();
        listener.onOutcome(entry, outcome);
    }

    /** Whether the tablet has the files of both; one that has not is about to be replaced. */
    private boolean stands(Outcome.Merged merged) {
        PreparedRecord base = tablet.base();
        return base != null && base.ref().equals(merged.commit().getRecord().getRecord());
    }

    private static boolean concernsRegion(Entry entry) {
        return switch (entry.getKind()) {
            case WRITE, NOOP, CONFIG -> false;
            case MANIFEST_COMMIT, SPLIT, CHILD_PUBLISHED, FLASHBACK -> true;
            case PREPARE_MERGE, ROLLBACK_MERGE, COMMIT_MERGE, MERGE_REPORTED -> true;
            case PART, ENTRY_KIND_UNSPECIFIED, UNRECOGNIZED -> true;
        };
    }
}
