package io.tidekv.compute.region;

import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.cluster.ReportSplitResponse;
import io.tidekv.proto.region.ChildPublished;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.SplitChild;
import io.tidekv.proto.region.SplitOrigin;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.WalErrorCode;
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
 * What a region owes the children that are pending in its state: voter state on a majority, that PD
 * knows them, and its own log as long as they live on it. When a child has published a record of
 * its own, which shows at its voters, or has become part of its neighbour, which PD tells, the log
 * is told to forget it. Every step can be repeated, by this leader or by a later one. Belongs to
 * the parent's loop.
 */
final class ChildDuties {
    private static final Logger log = LoggerFactory.getLogger(ChildDuties.class);
    private static final long RETRY_NANOS = 1_000_000_000L;

    /** How far it has come with one child. */
    private static final class Duty {
        private final SplitChild child;
        private final Set<Long> created = new TreeSet<>();
        private boolean reported;
        private boolean published;
        private boolean proposed;

        Duty(SplitChild child) {
            this.child = child;
        }

        boolean isCreated() {
            return created.size() > child.getConfig().getWalIdsCount() / 2;
        }
    }

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    // In the order of the splits: PD takes children from the left edge on.
    private final Map<Long, Duty> duties = new LinkedHashMap<>();
    private boolean reporting;
    private long retryNanos;

    ChildDuties(RegionEnv env, RegionPeer peer, LedRegion led) {
        this.env = env;
        this.peer = peer;
        this.led = led;
    }

    /** The voter state of a child comes from its parent's split. */
    static Origin origin(long parentId, SplitChild child) {
        return Origin.newBuilder()
                .setSplit(
                        SplitOrigin.newBuilder()
                                .setParentRegionId(parentId)
                                .setSplitIndex(child.getSplitIndex())
                                .setFirstRecord(child.getFirstRecord()))
                .build();
    }

    /** These children are pending from now on. */
    void add(List<SplitChild> children) {
        if (!children.isEmpty()) {
            children.forEach(c -> duties.put(c.getShape().getRegionId(), new Duty(c)));
            retryNanos = env.nowNanos();
            tick();
        }
    }

    boolean isEmpty() {
        return duties.isEmpty();
    }

    /** The log has forgotten the child. */
    void remove(long childRegionId) {
        duties.remove(childRegionId);
    }

    /** Does what is still to be done, at once and then now and then. */
    void tick() {
        if (duties.isEmpty() || env.nowNanos() - retryNanos < 0) {
            return;
        }
        retryNanos = env.nowNanos() + RETRY_NANOS;
        duties.values().forEach(this::create);
        report();
        duties.values().forEach(this::look);
        duties.values().forEach(this::propose);
    }

    private void create(Duty duty) {
        if (duty.isCreated()) {
            return;
        }
        SplitChild child = duty.child;
        CreateRequest create =
                CreateRequest.newBuilder()
                        .setConfig(child.getConfig())
                        .setOrigin(origin(peer.id(), child))
                        .build();
        for (long walId : child.getConfig().getWalIdsList()) {
            if (!duty.created.contains(walId)) {
                WalRequest.Builder request =
                        WalRequest.newBuilder()
                                .setRegionId(child.getShape().getRegionId())
                                .setCreate(create);
                peer.loop().sendAside(walId, request, answer -> created(duty, walId, answer));
            }
        }
    }

    private void created(Duty duty, long walId, @Nullable WalResponse answer) {
        if (answer != null && answer.hasCreate() && peer.isAlive()) {
            duty.created.add(walId);
            peer.guard(() -> propose(duty));
        }
    }

    /** Asks the child's voters whether it has a record of its own by now. */
    private void look(Duty duty) {
        if (duty.published || !duty.reported || !duty.isCreated()) {
            return;
        }
        long id = duty.child.getShape().getRegionId();
        for (long walId : duty.child.getConfig().getWalIdsList()) {
            WalRequest.Builder request =
                    WalRequest.newBuilder()
                            .setRegionId(id)
                            .setRead(
                                    ReadRequest.newBuilder()
                                            .setFromIndex(1)
                                            .setToIndex(1)
                                            .setBytesMax(1));
            peer.loop().sendAside(walId, request, answer -> seen(duty, answer));
        }
    }

    private void seen(Duty duty, @Nullable WalResponse answer) {
        if (answer != null && answer.getError().getCode() == WalErrorCode.RETIRED) {
            // It has other voters now, or is part of its neighbour: PD knows.
            duty.reported = false;
        }
        boolean own =
                answer != null && answer.hasRead() && answer.getRead().getSnapshot().getIndex() > 0;
        if (own && peer.isAlive()) {
            duty.published = true;
            peer.guard(() -> propose(duty));
        }
    }

    /** All that PD may not know yet in one report, so that it can place them one by the other. */
    private void report() {
        List<Duty> unreported = duties.values().stream().filter(d -> !d.reported).toList();
        if (reporting || unreported.isEmpty()) {
            return;
        }
        reporting = true;
        ReportSplitRequest request =
                ReportSplitRequest.newBuilder()
                        .setClusterId(env.clusterId())
                        .setOwner(env.owner())
                        .setParent(led.machine().shape())
                        .addAllChildren(unreported.stream().map(d -> d.child).toList())
                        .build();
        env.pd()
                .reportSplit(request)
                .whenComplete(
                        (response, error) ->
                                peer.later(() -> reported(unreported, response, error)));
    }

    private void reported(
            List<Duty> which, @Nullable ReportSplitResponse response, @Nullable Throwable error) {
        reporting = false;
        if (response == null) {
            log.info(
                    "PD has not taken the split of region {}: {}",
                    peer.id(),
                    error == null ? "" : error.getMessage());
            return;
        }
        for (Duty duty : which) {
            duty.reported = true;
            // It had published before it could become part of its neighbour.
            duty.published |=
                    response.getGoneRegionIdsList().contains(duty.child.getShape().getRegionId());
            propose(duty);
        }
        // A split that came meanwhile was not in the report.
        report();
    }

    private void propose(Duty duty) {
        if (duty.proposed || !duty.published) {
            return;
        }
        long id = duty.child.getShape().getRegionId();
        try {
            led.regionLog()
                    .append(
                            EntryKind.CHILD_PUBLISHED,
                            ChildPublished.newBuilder()
                                    .setChildRegionId(id)
                                    .build()
                                    .toByteString());
            duty.proposed = true;
            peer.touch();
        } catch (AppendRefused e) {
            log.debug("child {} of region {} is forgotten later: {}", id, peer.id(), e.reason());
        }
    }
}
