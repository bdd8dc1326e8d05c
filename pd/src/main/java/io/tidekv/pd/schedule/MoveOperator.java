package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.Move;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.RegionEntry;

/**
 * Hands a region to another store. The target first opens the region beside its owner and follows
 * the log, as long as that takes within bounds, unless the region hibernates; then the source is
 * told to release it, the next term goes to the target, and the target reports that it leads.
 */
final class MoveOperator extends Operator {
    private static final long REPEAT_NANOS = 500_000_000L;

    /** How long the target may take to open the region; then the move goes on without. */
    private static final long OPEN_NANOS = 10_000_000_000L;

    /** The same for bringing its table files. */
    private static final long HYDRATE_NANOS = 40_000_000_000L;

    private final long targetStoreId;
    private final long startTerm;
    private long sentAtNanos;
    private boolean sent;
    private boolean prepared;
    private boolean warm;
    private long startedAtNanos;
    private boolean started;
    private boolean released;
    private long releasedAtNanos;
    private long gapNanos;

    MoveOperator(RegionEntry region, long targetStoreId, String description, long deadlineNanos) {
        super(region.getShape().getRegionId(), description, deadlineNanos);
        this.targetStoreId = targetStoreId;
        this.startTerm = region.getTerm();
    }

    @Override
    Status step(ClusterView view, Sessions sessions, long nowNanos) {
        RegionEntry region = view.region(regionId);
        if (region == null) {
            return Status.CANCEL;
        }
        StoreSession session = sessions.ownerOf(region);
        RegionState state =
                session == null ? RegionState.REGION_STATE_UNSPECIFIED : session.state(region);
        boolean onTarget = region.getOwner().getStoreId() == targetStoreId;
        if (onTarget && state == RegionState.LEADING) {
            gapNanos = released ? nowNanos - releasedAtNanos : 0;
            return Status.SUCCESS;
        }
        if (onTarget) {
            return Status.RUNNING;
        }
        if (region.getTerm() != startTerm) {
            // Somebody else has got it: the target was not there when it was needed.
            return Status.CANCEL;
        }
        if (state == RegionState.RELEASED && !released) {
            released = true;
            releasedAtNanos = nowNanos;
        }
        boolean repeat = !sent || nowNanos - sentAtNanos >= REPEAT_NANOS;
        if (session == null || state != RegionState.LEADING) {
            return Status.RUNNING;
        }
        if (!prepared && (session.isHibernated(region) || isPrepared(sessions, nowNanos))) {
            prepared = true;
            repeat = true;
        }
        if (repeat) {
            sent = true;
            sentAtNanos = nowNanos;
            order(session, region);
            StoreSession target = sessions.get(targetStoreId);
            if (!prepared && target != null && target.standby(regionId) == null) {
                target.send(StandbyKeeper.follow(region));
            }
        }
        return Status.RUNNING;
    }

    /** Whether the target is as ready as it will be. */
    private boolean isPrepared(Sessions sessions, long nowNanos) {
        if (!started) {
            started = true;
            startedAtNanos = nowNanos;
        }
        StoreSession target = sessions.get(targetStoreId);
        StandbyReport standby = target == null ? null : target.standby(regionId);
        warm = standby != null && standby.getReady();
        boolean complete = standby != null && standby.getReady() && standby.getHydrated();
        long waited = nowNanos - startedAtNanos;
        boolean late = waited > (deadlineNanos - startedAtNanos) / 2;
        return complete || late || waited > (warm ? HYDRATE_NANOS : OPEN_NANOS);
    }

    private void order(StoreSession owner, RegionEntry region) {
        MoveStep step = MoveStep.MOVE_PREPARE;
        if (prepared) {
            step = warm ? MoveStep.MOVE_WARM : MoveStep.MOVE_COLD;
        }
        owner.send(
                StoreCommand.newBuilder()
                        .setMove(
                                Move.newBuilder()
                                        .setRegionId(regionId)
                                        .setTerm(region.getTerm())
                                        .setTargetStoreId(targetStoreId)
                                        .setStep(step))
                        .build());
    }

    @Override
    String waitsFor() {
        return released
                ? "store " + targetStoreId + " has not taken region " + regionId
                : "region " + regionId + " has not been released by its owner";
    }

    @Override
    long wantedStore() {
        return targetStoreId;
    }

    @Override
    long gapMillis() {
        return gapNanos / 1_000_000;
    }
}
