package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.region.RegionMachine.Outcome;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import org.jspecify.annotations.Nullable;

/** Brings a tablet to the end of a committed log. Blocks: runs on a pool. */
final class TabletOpening {
    /** A tablet that has applied the tail, and the region's state after it. */
    record Opened(Tablet tablet, RegionMachine machine) {}

    private TabletOpening() {}

    /**
     * Loads the record, opens it and replays what follows.
     *
     * @param assigned PD's picture of the region: its peer and conf_ver are used, its range is not
     * @param inherited what the region's parent wrote before the split that made it, if the region
     *     has no record of its own yet
     * @param pause waits a moment, for a tablet that is flushing
     */
    static Opened open(
            TabletStore tablets,
            RegionShape assigned,
            LogTail tail,
            ParentLog.@Nullable Inherited inherited,
            Runnable pause) {
        ObjectRef ref = tail.record();
        PreparedRecord base = ref == null ? null : tablets.load(assigned.getRegionId(), ref);
        RegionState state = RegionState.fresh(atBootstrap(assigned));
        if (base != null) {
            TabletRecord record = base.record();
            Invariants.check(
                    record.getAppliedIndex() == tail.coveredIndex()
                            && record.getAppliedTerm() == tail.coveredTerm(),
                    "record %s covers index %s, the log says %s",
                    base.ref().getKey(),
                    record.getAppliedIndex(),
                    tail.coveredIndex());
            state = RegionState.of(record).withShape(served(record, assigned));
        }
        Tablet tablet = tablets.open(base, state.shape());
        try {
            if (base != null && inherited != null) {
                inherit(tablet, base.record(), inherited, pause);
            }
        } catch (RuntimeException e) {
            tablet.close();
            throw e;
        }
        return replay(new Opened(tablet, new RegionMachine(state, ref)), tail, pause);
    }

    /** Applies what the parent wrote between the child's first record and the split. */
    private static void inherit(
            Tablet tablet, TabletRecord record, ParentLog.Inherited inherited, Runnable pause) {
        Invariants.check(record.getLineageCount() > 0, "a first record without lineage");
        Lineage from = record.getLineage(record.getLineageCount() - 1);
        Invariants.check(
                from.getRegionId() == inherited.parentRegionId()
                        && inherited.afterIndex() <= from.getIndex(),
                "the log of region %s begins after %s, the child's record ends at %s of region %s",
                inherited.parentRegionId(),
                inherited.afterIndex(),
                from.getIndex(),
                from.getRegionId());
        for (Entry entry : inherited.writes()) {
            ByteString part =
                    entry.getIndex() <= from.getIndex()
                            ? null
                            : BatchBytes.within(entry.getData(), record.getShape());
            while (part != null && !taken(tablet, part)) {
                pause.run();
            }
        }
    }

    private static boolean taken(Tablet tablet, ByteString part) {
        try {
            tablet.inherit(part);
            return true;
        } catch (KvException e) {
            if (e.error() instanceof KvError.ServerIsBusy) {
                return false;
            }
            throw e;
        }
    }

    /** Goes on with a tablet that has been opened before; closes it when that fails. */
    static Opened resume(WarmTablet warm, LogTail tail, Runnable pause) {
        return replay(new Opened(warm.tablet(), warm.machine()), tail, pause);
    }

    private static Opened replay(Opened opened, LogTail tail, Runnable pause) {
        try {
            LogApplier replay =
                    new LogApplier(
                            opened.machine,
                            opened.tablet,
                            (entry, outcome) ->
                                    Invariants.check(
                                            !(outcome instanceof Outcome.Published),
                                            "entry %s publishes a record that the walk missed",
                                            entry.getIndex()));
            replay.add(tail.entries());
            while (!replay.drain()) {
                pause.run();
            }
            return opened;
        } catch (RuntimeException e) {
            opened.tablet.close();
            throw e;
        }
    }

    /**
     * Only a region made at bootstrap can be without a record. It began with the whole range,
     * whatever PD knows of it by now: splits are still in the log.
     */
    private static RegionShape atBootstrap(RegionShape assigned) {
        return assigned.toBuilder().clearStartKey().clearEndKey().setVersion(1).build();
    }

    /** Range and version are the region's own, peer and conf_ver are PD's. */
    private static RegionShape served(TabletRecord record, RegionShape assigned) {
        return assigned.toBuilder()
                .setStartKey(record.getShape().getStartKey())
                .setEndKey(record.getShape().getEndKey())
                .setVersion(record.getShape().getVersion())
                .build();
    }
}
