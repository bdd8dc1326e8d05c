package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.Move;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.RegionEntry;

/**
 * Hands a region to another store: the source is told to release it, the next term goes to the
 * target, and the target reports that it leads.
 */
final class MoveOperator extends Operator {
    private static final long REPEAT_NANOS = 500_000_000L;

    private final long targetStoreId;
    private final long startTerm;
    private long sentAtNanos;
    private boolean sent;
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
        if (session != null
                && state == RegionState.LEADING
                && (!sent || nowNanos - sentAtNanos >= REPEAT_NANOS)) {
            sent = true;
            sentAtNanos = nowNanos;
            session.send(
                    StoreCommand.newBuilder()
                            .setMove(
                                    Move.newBuilder()
                                            .setRegionId(regionId)
                                            .setTerm(region.getTerm())
                                            .setTargetStoreId(targetStoreId))
                            .build());
        }
        return Status.RUNNING;
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
