package io.tidekv.compute.region;

import io.tidekv.compute.region.RegionMachine.Fence;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.proto.cluster.JudgeMergeRequest;
import io.tidekv.proto.cluster.JudgeMergeResponse;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RollbackMerge;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A region that is sealed for a merge: serves nothing until it is known whether it is part of its
 * neighbour now. If the neighbour's leader is at work here, it says so; else PD is asked, who knows
 * once the neighbour has had a later leader. Belongs to the region's loop.
 */
final class MergeFence {
    private static final Logger log = LoggerFactory.getLogger(MergeFence.class);
    private static final long RETRY_NANOS = 200_000_000L;

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private final Fence fence;
    private boolean isVoid;
    private boolean asking;
    private boolean proposed;
    private long retryNanos;

    MergeFence(RegionEnv env, RegionPeer peer, LedRegion led, Fence fence) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.fence = fence;
        this.retryNanos = env.nowNanos();
    }

    /** The merge will not be committed: the region is opened again. */
    void open() {
        isVoid = true;
        peer.touch();
    }

    /** Proposes that. */
    void submit() {
        if (!isVoid || proposed) {
            return;
        }
        try {
            led.regionLog()
                    .append(
                            EntryKind.ROLLBACK_MERGE,
                            RollbackMerge.newBuilder()
                                    .setPrepareIndex(fence.index())
                                    .build()
                                    .toByteString());
            proposed = true;
        } catch (AppendRefused e) {
            log.debug("region {} stays sealed for now: {}", peer.id(), e.reason());
        }
    }

    /** Asks PD now and then, while nobody here knows. */
    void tick(boolean decidedHere) {
        if (decidedHere || isVoid || asking || env.nowNanos() - retryNanos < 0) {
            return;
        }
        asking = true;
        retryNanos = env.nowNanos() + RETRY_NANOS;
        JudgeMergeRequest request =
                JudgeMergeRequest.newBuilder()
                        .setClusterId(env.clusterId())
                        .setOwner(env.owner())
                        .setSourceRegionId(peer.id())
                        .setSourceTerm(peer.term())
                        .setTargetRegionId(fence.prepare().getTarget().getRegionId())
                        .setTargetTerm(fence.prepare().getTargetTerm())
                        .build();
        env.pd()
                .judgeMerge(request)
                .whenComplete((answer, error) -> peer.later(() -> judged(answer, error)));
    }

    private void judged(@Nullable JudgeMergeResponse answer, @Nullable Throwable error) {
        asking = false;
        if (answer == null) {
            log.info(
                    "region {} is sealed, PD does not answer: {}",
                    peer.id(),
                    error == null ? "" : error.getMessage());
            return;
        }
        switch (answer.getVerdict()) {
            case MERGE_COMMITTED -> peer.takenOver();
            case MERGE_VOID -> open();
            case MERGE_UNDECIDED, UNRECOGNIZED -> log.debug("region {} is sealed", peer.id());
        }
    }
}
