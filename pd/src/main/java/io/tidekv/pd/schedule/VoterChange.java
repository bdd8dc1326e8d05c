package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.ChangeVoters;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.VoterChangeState;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.VoterConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One voter more or one less for one region, ordered from its leader until it is durable in PD. */
final class VoterChange {
    private static final long REPEAT_NANOS = 500_000_000L;

    final long regionId;
    private VoterConfig target;

    /** Nodes whose addition was given up. */
    private final Set<Long> retire = new LinkedHashSet<>();

    private boolean sent;
    private long sentAtNanos;

    VoterChange(long regionId, VoterConfig target) {
        this.regionId = regionId;
        this.target = target;
    }

    VoterConfig target() {
        return target;
    }

    /** The node that is added to {@code region}; 0 when one is removed. */
    long added(RegionEntry region) {
        return outside(target.getWalIdsList(), region.getConfig().getWalIdsList());
    }

    /** The node that is removed from {@code region}; 0 when one is added. */
    long removed(RegionEntry region) {
        return outside(region.getConfig().getWalIdsList(), target.getWalIdsList());
    }

    private static long outside(List<Long> some, List<Long> others) {
        return some.stream().filter(id -> !others.contains(id)).findFirst().orElse(0L);
    }

    /** Another node is added instead; or, with the config in force, none. */
    void instead(VoterConfig other, RegionEntry region) {
        long givenUp = added(region);
        if (givenUp != 0) {
            retire.add(givenUp);
        }
        target = other;
        retire.removeAll(other.getWalIdsList());
        sent = false;
    }

    /** Repeats the order to a leader that has not taken it. */
    void send(RegionEntry region, StoreSession leader, long nowNanos) {
        RegionReport report = leader.report(region);
        if (report == null
                || report.getState() != RegionState.LEADING
                || (sent && nowNanos - sentAtNanos < REPEAT_NANOS)) {
            return;
        }
        sent = true;
        sentAtNanos = nowNanos;
        leader.send(
                StoreCommand.newBuilder()
                        .setChangeVoters(
                                ChangeVoters.newBuilder()
                                        .setRegionId(regionId)
                                        .setTarget(target)
                                        .addAllRetireWalIds(retire))
                        .build());
    }

    /** Why the leader does not do it; null when it has not refused. */
    @Nullable String refusal(@Nullable RegionReport report) {
        return report != null
                        && report.getVoterChange().getState() == VoterChangeState.REFUSED
                        && report.getVoterChange().getTarget().equals(target)
                ? report.getVoterChange().getError()
                : null;
    }

    /** True when the config is in the log and can only be committed. */
    boolean decided(@Nullable RegionReport report) {
        return report != null
                && report.getVoterChange().getState() == VoterChangeState.COMMITTING
                && report.getVoterChange().getTarget().equals(target);
    }
}
