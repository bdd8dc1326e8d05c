package io.tidekv.compute.region;

import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.region.Entry;
import java.util.ArrayList;
import java.util.List;

/**
 * Applies committed entries to a region's machine and tablet, in order; consecutive ones that do
 * not change the region's state reach the tablet as one list.
 */
final class LogApplier {
    /** Told of entries that concern the region itself, once the tablet has them. */
    interface Listener {
        void onOutcome(Entry entry, Outcome outcome);
    }

    private LogApplier() {}

    static void apply(
            RegionMachine machine, Tablet tablet, List<Entry> entries, Listener listener) {
        List<Entry> run = new ArrayList<>();
        for (Entry entry : entries) {
            Outcome outcome = machine.apply(entry);
            boolean stateful =
                    outcome instanceof Outcome.HasSplit || outcome instanceof Outcome.ChildGone;
            if (!stateful) {
                run.add(entry);
            }
            if (outcome instanceof Outcome.Nothing) {
                continue;
            }
            flush(tablet, run);
            if (stateful) {
                AppliedMark mark = new AppliedMark(entry.getIndex(), entry.getTerm());
                tablet.applyState(mark, machine.state());
            }
            listener.onOutcome(entry, outcome);
        }
        flush(tablet, run);
    }

    private static void flush(Tablet tablet, List<Entry> run) {
        if (!run.isEmpty()) {
            tablet.apply(List.copyOf(run));
            run.clear();
        }
    }
}
