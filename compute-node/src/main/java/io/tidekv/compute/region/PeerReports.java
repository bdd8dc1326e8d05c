package io.tidekv.compute.region;

import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.MergeRefusal;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.Roots;
import io.tidekv.proto.region.VoterConfig;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What PD is told of one region in one term. Belongs to the region's loop. */
final class PeerReports {
    private static final long REFRESH_NANOS = 2_000_000_000L;

    private final RegionEnv env;
    private final RegionHandle handle;
    private final long term;
    private long refreshedNanos;
    private long reportedIndex;
    private long writtenBytes;
    private VoterConfig config = VoterConfig.getDefaultInstance();
    private @Nullable VoterChange change;
    private long bytes;
    private long keys;
    private long flashbackStartTs;
    private @Nullable ObjectRef record;
    private @Nullable MergeRefusal refusal;

    PeerReports(RegionEnv env, RegionHandle handle, long term) {
        this.env = env;
        this.handle = handle;
        this.term = term;
        this.refreshedNanos = env.nowNanos();
    }

    void state(RegionState state, String error, VoterConfig config) {
        env.directory()
                .report(
                        RegionReport.newBuilder()
                                .setShape(handle.shape())
                                .setTerm(term)
                                .setState(state)
                                .setError(error)
                                .setConfig(config)
                                .build());
    }

    /** Serves, in this shape and of about this size. */
    void serving(LedRegion led) {
        measure(led);
        leading(led.regionLog(), led.machine().shape(), roots(led), false);
    }

    /** Has served until now, and closes its tablet. */
    void hibernated(LedRegion led) {
        measure(led);
        resting(record, led.regionLog());
    }

    private void measure(LedRegion led) {
        refreshedNanos = env.nowNanos();
        reportedIndex = led.tablet().applied().index();
        RegionShape shape = led.machine().shape();
        bytes =
                led.tablet()
                        .approximateBytes(
                                shape.getStartKey().toByteArray(), shape.getEndKey().toByteArray());
        keys = led.tablet().approximateKeys();
        record = led.machine().record();
        flashbackStartTs = led.machine().state().flashbackStartTs();
    }

    /** Led without a tablet; {@code record} holds everything. */
    void resting(@Nullable ObjectRef record, RegionLog regionLog) {
        this.record = record;
        Roots.Builder roots = Roots.newBuilder();
        if (record != null) {
            roots.setRecord(record);
        }
        leading(regionLog, handle.shape(), roots.build(), true);
    }

    /** The record that was reported last; null when there is none. */
    @Nullable ObjectRef record() {
        return record;
    }

    private void leading(RegionLog regionLog, RegionShape shape, Roots roots, boolean hibernated) {
        config = regionLog.voters();
        change = regionLog.voterChange();
        RegionReport.Builder report =
                RegionReport.newBuilder()
                        .setShape(shape)
                        .setTerm(term)
                        .setState(RegionState.LEADING)
                        .setConfig(config)
                        .setAppliedIndex(reportedIndex)
                        .setApproximateBytes(bytes)
                        .setApproximateKeys(keys)
                        .setWrittenBytes(writtenBytes)
                        .setHibernated(hibernated)
                        .setFlashbackStartTs(flashbackStartTs)
                        .setRoots(roots);
        VoterChange underWay = change;
        if (underWay != null) {
            report.setVoterChange(underWay);
        }
        MergeRefusal refused = refusal;
        if (refused != null) {
            report.setMergeRefusal(refused);
        }
        env.directory().report(report.build());
    }

    /** Nothing comes of an order to take a neighbour over. */
    void refused(LedRegion led, MergeOrder order, @Nullable String reason, boolean lasting) {
        refusal =
                MergeRefusal.newBuilder()
                        .setOrder(order.getOrder())
                        .setReason(String.valueOf(reason))
                        .setLasting(lasting)
                        .build();
        serving(led);
    }

    /** What the object store must keep for this region. */
    private static Roots roots(LedRegion led) {
        RegionMachine machine = led.machine();
        Tablet tablet = led.tablet();
        Roots.Builder roots = Roots.newBuilder();
        ObjectRef record = machine.record();
        if (record != null) {
            roots.setRecord(record);
        }
        PreparedRecord base = tablet.base();
        if (base != null && !base.ref().equals(record)) {
            roots.addPins(base.ref());
        }
        machine.state().pendingChildren().forEach(c -> roots.addPins(c.getFirstRecord()));
        roots.addAllStrays(tablet.strays());
        ObjectRef since = led.uploadsSince();
        if (since != null) {
            roots.setUploadsSince(since);
        }
        return roots.build();
    }

    /** Brings the numbers up to date now and then, if there is news, and the voters at once. */
    void refresh(LedRegion led) {
        boolean due = env.nowNanos() - refreshedNanos > REFRESH_NANOS;
        if (!isCurrent(led.regionLog())
                || (due && led.tablet().applied().index() != reportedIndex)) {
            serving(led);
        }
    }

    /** Brings the voters of a region without a tablet up to date. */
    void refresh(RegionLog regionLog) {
        if (!isCurrent(regionLog)) {
            resting(record, regionLog);
        }
    }

    /** Whether PD is told of the voters that there are; of nothing before the region is led. */
    boolean isCurrent(RegionLog regionLog) {
        return config.getWalIdsCount() == 0
                || (regionLog.voters().equals(config)
                        && Objects.equals(regionLog.voterChange(), change));
    }

    boolean isCurrent(LedRegion led) {
        return led.tablet().applied().index() == reportedIndex;
    }

    void written(List<Entry> entries) {
        for (Entry entry : entries) {
            writtenBytes += entry.getData().size();
        }
    }
}
