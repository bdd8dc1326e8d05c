package io.tidekv.pd.schedule;

import io.tidekv.pd.schedule.OrderException.Kind;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.MergeRefusal;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.RegionEntry;
import org.jspecify.annotations.Nullable;

/**
 * Makes a region part of its neighbour: moves it to the neighbour's store, then has that store
 * merge them. Done when the region is not in the table any more.
 */
final class MergeOperator extends Operator {
    private static final String DESCRIPTION = "merge-region";
    private static final long REPEAT_NANOS = 500_000_000L;

    /** Keeps the neighbour from other orders meanwhile. */
    static final class Neighbour extends Operator {
        private final MergeOperator merge;

        Neighbour(RegionEntry target, MergeOperator merge) {
            super(target.getShape().getRegionId(), DESCRIPTION, merge.deadlineNanos);
            this.merge = merge;
        }

        @Override
        Status step(ClusterView view, Sessions sessions, long nowNanos) {
            if (!merge.done.isDone()) {
                return Status.RUNNING;
            }
            return merge.done.isCompletedExceptionally() ? Status.CANCEL : Status.SUCCESS;
        }

        @Override
        String waitsFor() {
            return merge.waitsFor();
        }

        @Override
        boolean yields() {
            return merge.yields();
        }
    }

    private final long targetId;
    private MoveOperator move;
    private boolean moving;
    private boolean sent;
    private long sentAtNanos;
    private @Nullable MergeRefusal refusal;

    MergeOperator(RegionEntry source, RegionEntry target, long deadlineNanos) {
        super(source.getShape().getRegionId(), DESCRIPTION, deadlineNanos);
        this.targetId = target.getShape().getRegionId();
        this.move =
                new MoveOperator(
                        source, target.getOwner().getStoreId(), DESCRIPTION, deadlineNanos);
    }

    static boolean areNeighbours(RegionEntry one, RegionEntry other) {
        return meets(one, other) || meets(other, one);
    }

    private static boolean meets(RegionEntry left, RegionEntry right) {
        return !left.getShape().getEndKey().isEmpty()
                && left.getShape().getEndKey().equals(right.getShape().getStartKey());
    }

    @Override
    Status step(ClusterView view, Sessions sessions, long nowNanos) {
        RegionEntry source = view.region(regionId);
        RegionEntry target = view.region(targetId);
        if (source == null) {
            return Status.SUCCESS;
        }
        if (target == null || !areNeighbours(source, target)) {
            return Status.CANCEL;
        }
        if (source.getOwner().getStoreId() != target.getOwner().getStoreId() || moving) {
            return follow(source, target, view, sessions, nowNanos);
        }
        StoreSession session = sessions.ownerOf(target);
        if (isRefused(session == null ? null : session.report(target))) {
            return Status.CANCEL;
        }
        boolean repeat = !sent || nowNanos - sentAtNanos >= REPEAT_NANOS;
        if (session == null
                || !source.getOwner().equals(target.getOwner())
                || session.state(source) != RegionState.LEADING
                || session.state(target) != RegionState.LEADING
                || !repeat) {
            return Status.RUNNING;
        }
        sent = true;
        sentAtNanos = nowNanos;
        session.send(
                StoreCommand.newBuilder()
                        .setMerge(
                                MergeOrder.newBuilder()
                                        .setSource(source.getShape())
                                        .setSourceTerm(source.getTerm())
                                        .setTarget(target.getShape())
                                        .setTargetTerm(target.getTerm())
                                        .setOrder(nowNanos))
                        .build());
        return Status.RUNNING;
    }

    /** Whether its last order was, for good. */
    private boolean isRefused(@Nullable RegionReport report) {
        if (!sent
                || report == null
                || !report.hasMergeRefusal()
                || report.getMergeRefusal().getOrder() != sentAtNanos) {
            return false;
        }
        refusal = report.getMergeRefusal();
        return refusal.getLasting();
    }

    @Override
    @Nullable OrderException refusal() {
        MergeRefusal refused = refusal;
        return refused == null || !refused.getLasting()
                ? null
                : new OrderException(
                        Kind.INVALID, "%s, and it will not: %s", waitsFor(), refused.getReason());
    }

    /** Brings both to one store; another attempt when the target's has changed meanwhile. */
    private Status follow(
            RegionEntry source,
            RegionEntry target,
            ClusterView view,
            Sessions sessions,
            long nowNanos) {
        if (!moving) {
            long store = target.getOwner().getStoreId();
            move = new MoveOperator(source, store, DESCRIPTION, deadlineNanos);
            moving = true;
        }
        moving = move.step(view, sessions, nowNanos) == Status.RUNNING;
        return Status.RUNNING;
    }

    @Override
    String waitsFor() {
        MergeRefusal last = refusal;
        return "region "
                + regionId
                + " has not become part of region "
                + targetId
                + (last == null || last.getLasting() ? "" : ": " + last.getReason());
    }

    @Override
    long wantedStore() {
        return moving ? move.wantedStore() : 0;
    }
}
