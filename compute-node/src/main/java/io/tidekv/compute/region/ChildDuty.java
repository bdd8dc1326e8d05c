package io.tidekv.compute.region;

import io.tidekv.compute.region.core.ProposalRefused;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.region.ChildPublished;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.SplitChild;
import io.tidekv.proto.region.SplitOrigin;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a region owes a child that is pending in its state: voter state on a majority, and that PD
 * knows it. Then the log is told to forget the child. Every step can be repeated, by this leader or
 * by a later one. Belongs to the parent's loop.
 */
final class ChildDuty {
    private static final long RETRY_MS = 1000;

    private final RegionEnv env;
    private final RegionPeer peer;
    private final RegionPeer.Led led;
    private final SplitChild child;
    private final Set<Long> created = new TreeSet<>();
    private boolean reporting;
    private boolean reported;
    private boolean proposed;
    private long retryNanos;

    ChildDuty(RegionEnv env, RegionPeer peer, RegionPeer.Led led, SplitChild child) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.child = child;
        this.retryNanos = env.nowNanos();
    }

    static Origin origin(long parentId, SplitChild child) {
        return Origin.newBuilder()
                .setSplit(
                        SplitOrigin.newBuilder()
                                .setParentRegionId(parentId)
                                .setSplitIndex(child.getSplitIndex())
                                .setFirstRecord(child.getFirstRecord()))
                .build();
    }

    /** Does what is still to be done, at once and then now and then. */
    void tick() {
        if (proposed || env.nowNanos() - retryNanos < 0) {
            return;
        }
        retryNanos = env.nowNanos() + RETRY_MS * 1_000_000;
        if (!isCreated()) {
            create();
        }
        if (!reported && !reporting) {
            report();
        }
        submit();
    }

    private boolean isCreated() {
        return created.size() > child.getConfig().getWalIdsCount() / 2;
    }

    private void create() {
        for (long walId : child.getConfig().getWalIdsList()) {
            if (!created.contains(walId)) {
                WalRequest.Builder request =
                        WalRequest.newBuilder()
                                .setRegionId(child.getShape().getRegionId())
                                .setCreate(
                                        CreateRequest.newBuilder()
                                                .setConfig(child.getConfig())
                                                .setOrigin(origin(peer.id(), child)));
                peer.loop().sendAside(walId, request, response -> created(walId, response));
            }
        }
    }

    private void created(long walId, @Nullable WalResponse response) {
        if (response != null && response.hasCreate() && peer.isAlive()) {
            created.add(walId);
            submit();
        }
    }

    private void report() {
        reporting = true;
        RegionShape parent = led.machine().shape();
        ReportSplitRequest request =
                ReportSplitRequest.newBuilder()
                        .setClusterId(env.clusterId())
                        .setOwner(env.owner())
                        .setParent(parent)
                        .addChildren(child)
                        .build();
        env.pd()
                .reportSplit(request)
                .whenComplete(
                        (done, error) ->
                                peer.later(
                                        () -> {
                                            reporting = false;
                                            if (error == null) {
                                                reported = true;
                                                submit();
                                            }
                                        }));
    }

    private void submit() {
        if (proposed || !reported || !isCreated()) {
            return;
        }
        ChildPublished published =
                ChildPublished.newBuilder()
                        .setChildRegionId(child.getShape().getRegionId())
                        .build();
        try {
            led.leader().propose(EntryKind.CHILD_PUBLISHED, published.toByteString());
            proposed = true;
            peer.touch();
        } catch (ProposalRefused e) {
            // Repeated with the next tick, or by the next leader.
            proposed = false;
        }
    }
}
