package io.tidekv.compute.region;

import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import java.util.ArrayList;
import java.util.List;

/**
 * A tablet that is opened beside the one that serves a region, at a record that is not current yet,
 * and follows what the region writes until it takes the other's place. Used by one thread at a
 * time: a pool's, or the region's loop.
 */
final class BesideTablet {
    private final RegionEnv env;
    private final PreparedRecord prepared;
    private final WarmTablet warm;
    private final LogApplier applier;
    private final long covered;
    private boolean taken;

    private BesideTablet(RegionEnv env, PreparedRecord prepared, WarmTablet warm) {
        this.env = env;
        this.prepared = prepared;
        this.warm = warm;
        this.covered = warm.applied().index();
        this.applier = new LogApplier(warm.machine(), warm.tablet(), (entry, outcome) -> {});
    }

    /**
     * Opens it. Blocks.
     *
     * @param prepared made of a draft of the tablet that serves
     * @param applied what that tablet had applied before it was drafted
     */
    static BesideTablet open(RegionEnv env, PreparedRecord prepared, AppliedMark applied) {
        Tablet tablet = env.tablets().open(prepared, prepared.record().getShape());
        env.tabletsOpen().incrementAndGet();
        RegionMachine machine =
                new RegionMachine(RegionState.of(prepared.record()), prepared.ref());
        pass(tablet, applied);
        return new BesideTablet(env, prepared, new WarmTablet(tablet, machine));
    }

    /**
     * The record may end before what the tablet had applied: the entries between are no writes, for
     * a tablet keeps its mark with those only.
     */
    private static void pass(Tablet tablet, AppliedMark applied) {
        List<Entry> empty = new ArrayList<>();
        for (long i = tablet.applied().index() + 1; i <= applied.index(); i++) {
            empty.add(
                    Entry.newBuilder()
                            .setIndex(i)
                            .setTerm(applied.term())
                            .setKind(EntryKind.NOOP)
                            .build());
        }
        tablet.apply(empty);
    }

    PreparedRecord prepared() {
        return prepared;
    }

    /** Takes what the region writes; entries that the tablet has already are passed over. */
    void add(List<Entry> entries) {
        applier.add(entries.stream().filter(e -> e.getIndex() > covered).toList());
    }

    /** Applies what was added; false when the tablet asks to come back in a moment. */
    boolean drain() {
        return applier.drain();
    }

    /** The tablet and the region's state after what was applied; the caller closes it. */
    WarmTablet take() {
        taken = true;
        return warm;
    }

    /** Closes the tablet if nobody has taken it. */
    void close() {
        if (!taken) {
            taken = true;
            env.close(warm.tablet());
        }
    }
}
