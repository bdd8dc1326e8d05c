package io.tidekv.compute.region;

import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.MergeReported;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.wal.RetireRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a region owes those that it has taken over: that PD knows that they are gone, and that their
 * voters forget them. Every step can be repeated, by this leader or by a later one. Belongs to the
 * region's loop.
 */
final class MergeDuties {
    private static final Logger log = LoggerFactory.getLogger(MergeDuties.class);
    private static final long RETRY_NANOS = 500_000_000L;

    /** A voter that does not answer keeps a log that nobody opens any more. */
    private static final int RETIRE_ATTEMPTS = 20;

    /** PD issues no terms for a region that is gone: this one ends its log. */
    private static final long LAST_TERM = 1L << 62;

    private static final class Duty {
        private final MergedRegion gone;
        private final Set<Long> retired = new TreeSet<>();
        private boolean reported;
        private boolean proposed;
        private int attempts;

        Duty(MergedRegion gone) {
            this.gone = gone;
        }
    }

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private final Map<Long, Duty> duties = new LinkedHashMap<>();
    private boolean reporting;
    private long retryNanos;

    MergeDuties(RegionEnv env, RegionPeer peer, LedRegion led) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.retryNanos = env.nowNanos();
    }

    void add(List<MergedRegion> merges) {
        merges.forEach(m -> duties.put(m.getShape().getRegionId(), new Duty(m)));
        retryNanos = env.nowNanos();
        tick();
    }

    boolean isEmpty() {
        return duties.isEmpty();
    }

    /** The log has forgotten it. */
    void remove(long regionId) {
        duties.remove(regionId);
    }

    void tick() {
        if (duties.isEmpty() || env.nowNanos() - retryNanos < 0) {
            return;
        }
        retryNanos = env.nowNanos() + RETRY_NANOS;
        for (Duty duty : List.copyOf(duties.values())) {
            if (duty.reported) {
                retire(duty);
            } else {
                report(duty);
            }
        }
    }

    private void report(Duty duty) {
        if (reporting) {
            return;
        }
        reporting = true;
        ReportMergeRequest request =
                ReportMergeRequest.newBuilder()
                        .setClusterId(env.clusterId())
                        .setOwner(env.owner())
                        .setTarget(led.machine().shape())
                        .setTargetTerm(peer.term())
                        .setSource(duty.gone)
                        .build();
        env.pd()
                .reportMerge(request)
                .whenComplete((done, error) -> peer.later(() -> reported(duty, error)));
    }

    private void reported(Duty duty, @Nullable Throwable error) {
        reporting = false;
        if (error != null) {
            log.info("PD has not taken a merge of region {}: {}", peer.id(), error.getMessage());
            return;
        }
        duty.reported = true;
        retire(duty);
    }

    private void retire(Duty duty) {
        if (duty.proposed) {
            return;
        }
        if (duty.attempts++ >= RETIRE_ATTEMPTS) {
            propose(duty);
            return;
        }
        RetireRequest retire =
                RetireRequest.newBuilder()
                        .setTerm(LAST_TERM)
                        .setOwner(env.owner())
                        .setGeneration(duty.gone.getConfig().getGeneration() + 1)
                        .build();
        for (long walId : duty.gone.getConfig().getWalIdsList()) {
            if (!duty.retired.contains(walId)) {
                WalRequest.Builder request =
                        WalRequest.newBuilder()
                                .setRegionId(duty.gone.getShape().getRegionId())
                                .setRetire(retire);
                peer.loop().sendAside(walId, request, answer -> retired(duty, walId, answer));
            }
        }
    }

    private void retired(Duty duty, long walId, @Nullable WalResponse answer) {
        if (answer != null && answer.hasRetire() && peer.isAlive()) {
            duty.retired.add(walId);
            if (duty.retired.size() == duty.gone.getConfig().getWalIdsCount()) {
                peer.guard(() -> propose(duty));
            }
        }
    }

    private void propose(Duty duty) {
        if (duty.proposed) {
            return;
        }
        try {
            led.regionLog()
                    .append(
                            EntryKind.MERGE_REPORTED,
                            MergeReported.newBuilder()
                                    .setSourceRegionId(duty.gone.getShape().getRegionId())
                                    .build()
                                    .toByteString());
            duty.proposed = true;
            peer.touch();
        } catch (AppendRefused e) {
            log.debug("a merge of region {} is forgotten later: {}", peer.id(), e.reason());
        }
    }
}
