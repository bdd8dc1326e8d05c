package io.tidekv.sim;

import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.wal.storage.RepairBounds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * PD as region logs see it: gives each (region, term) to one incarnation. It believes what it sees,
 * which through a partition is wrong.
 */
final class SimPd {
    private static final Origin BOOTSTRAP =
            Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();

    private final Sim sim;
    private final Cluster cluster;
    private final Map<Long, Assignment> assignments = new TreeMap<>();
    private final Set<Long> unreachable = new TreeSet<>();
    private long issued;

    private static final class Assignment {
        private long term;
        private @Nullable SimStore store;
        private long incarnation;
        private boolean led;
        private long missingSinceNanos = -1;
        private VoterConfig config;
        private @Nullable VoterConfig order;

        private Assignment(VoterConfig config) {
            this.config = config;
        }
    }

    SimPd(Sim sim, Cluster cluster) {
        this.sim = sim;
        this.cluster = cluster;
    }

    void start() {
        for (long region : cluster.regions()) {
            assignments.put(region, new Assignment(cluster.config()));
            takeOver(region);
        }
        tickSoon();
    }

    long issued() {
        return issued;
    }

    /** Whom PD would send a client to. */
    @Nullable SimStore route(long regionId) {
        Assignment assignment = assignments.get(regionId);
        return assignment == null ? null : assignment.store;
    }

    /** What a node is told that may have forgotten anything. */
    RepairBounds bounds(long walId) {
        Map<Long, RepairBounds.Region> regions = new TreeMap<>();
        assignments.forEach(
                (region, assignment) -> {
                    Owner.Builder owner = Owner.newBuilder().setIncarnation(assignment.incarnation);
                    if (assignment.store != null) {
                        owner.setStoreId(assignment.store.storeId());
                    }
                    regions.put(
                            region,
                            new RepairBounds.Region(
                                    assignment.term,
                                    owner.build(),
                                    assignment.config,
                                    assignment.config.getWalIdsList().contains(walId)));
                });
        sim.mark("pd: asked for what a node may have forgotten");
        return new RepairBounds(cluster.settings().regions() + 1L, regions);
    }

    long term(long regionId) {
        Assignment assignment = assignments.get(regionId);
        return assignment == null ? 0 : assignment.term;
    }

    void partition(SimStore store, boolean cut) {
        if (cut) {
            unreachable.add(store.storeId());
        } else {
            unreachable.remove(store.storeId());
        }
    }

    private void tickSoon() {
        sim.after(
                sim.between(100 * Sim.MS, 300 * Sim.MS),
                "pd tick",
                () -> {
                    for (long region : cluster.regions()) {
                        look(region);
                    }
                    tickSoon();
                });
    }

    private void look(long region) {
        Assignment assignment = assignments.get(region);
        if (assignment == null) {
            return;
        }
        SimStore store = assignment.store;
        boolean seen =
                store != null
                        && store.running()
                        && store.owner().getIncarnation() == assignment.incarnation
                        && !unreachable.contains(store.storeId());
        if (store == null || !seen) {
            boolean restarted =
                    store != null
                            && store.alive()
                            && store.owner().getIncarnation() != assignment.incarnation;
            if (assignment.missingSinceNanos < 0) {
                assignment.missingSinceNanos = sim.nowNanos();
            }
            long missing = sim.nowNanos() - assignment.missingSinceNanos;
            if (restarted || missing > 1500 * Sim.MS) {
                takeOver(region);
            }
            return;
        }
        assignment.missingSinceNanos = -1;
        SimPeer peer = store.peer(region);
        if (peer != null && peer.leader().term() == assignment.term) {
            hear(region, assignment, store, peer);
        }
        if (store.endedTerm(region) >= assignment.term) {
            takeOver(region);
        } else if (peer == null || peer.leader().term() < assignment.term) {
            send(region, assignment);
        } else if (peer.serving()) {
            assignment.led = true;
        }
    }

    /** The region's report: its voters, which PD keeps; repeats an order that is not done. */
    private void hear(long region, Assignment assignment, SimStore store, SimPeer peer) {
        VoterConfig reported = peer.leader().config();
        if (reported.getGeneration() > assignment.config.getGeneration()) {
            assignment.config = reported;
            sim.mark("pd: voters changed");
        }
        VoterConfig order = assignment.order;
        if (order != null && order.getGeneration() <= assignment.config.getGeneration()) {
            assignment.order = null;
        } else if (order != null) {
            sendOrder(region, store, order);
        }
    }

    private void sendOrder(long region, SimStore store, VoterConfig order) {
        store.later(
                sim.about(20 * Sim.MS), "change voters", () -> store.changeVoters(region, order));
    }

    /** The region's voters as PD knows them. */
    List<Long> voters(long regionId) {
        Assignment assignment = assignments.get(regionId);
        return assignment == null ? List.of() : assignment.config.getWalIdsList();
    }

    /** Whether a change of voters that was ordered is not done. */
    boolean changing(long region) {
        Assignment assignment = assignments.get(region);
        return assignment != null && assignment.order != null;
    }

    /** Whether a region is about to have other voters. */
    boolean changingAny() {
        return assignments.values().stream().anyMatch(assignment -> assignment.order != null);
    }

    /** Orders one voter more or one less, or gives up what was ordered. */
    void changeVoters(long region) {
        Assignment assignment = assignments.get(region);
        SimStore store = assignment == null ? null : assignment.store;
        if (assignment == null || store == null || cluster.settings().spares() == 0) {
            return;
        }
        if (assignment.order != null) {
            if (sim.random().chance(0.2)) {
                assignment.order = null;
                sendOrder(region, store, assignment.config);
            }
            return;
        }
        if (cluster.plant().hurriesChanges()) {
            hurry(region, store, assignment.config);
            return;
        }
        VoterConfig order = anotherConfig(assignment.config);
        assignment.order = order;
        sim.trace("pd orders voters " + order.getWalIdsList(), region, order.getGeneration());
        sendOrder(region, store, order);
    }

    /** Orders to remove one voter after the other, without waiting for a report. */
    private void hurry(long region, SimStore store, VoterConfig present) {
        List<Long> walIds = new ArrayList<>(present.getWalIdsList());
        long generation = present.getGeneration();
        while (walIds.size() > 1) {
            walIds.remove(sim.random().nextInt(walIds.size()));
            VoterConfig.Builder fewer = VoterConfig.newBuilder().setGeneration(++generation);
            VoterConfig order = fewer.addAllWalIds(walIds).build();
            store.later(generation, "change voters", () -> store.changeVoters(region, order));
        }
    }

    private VoterConfig anotherConfig(VoterConfig present) {
        List<Long> walIds = new ArrayList<>(present.getWalIdsList());
        List<Long> spares = new ArrayList<>();
        cluster.voters().forEach(wal -> spares.add(wal.walId()));
        spares.removeAll(walIds);
        int usual = cluster.settings().voters();
        boolean fewer =
                walIds.size() > usual || (walIds.size() == usual && sim.random().chance(0.4));
        boolean swap = cluster.plant().changesTwoAtOnce() && !spares.isEmpty();
        if (fewer || swap || spares.isEmpty()) {
            walIds.remove(sim.random().nextInt(walIds.size()));
        }
        if ((!fewer || swap) && !spares.isEmpty()) {
            walIds.add(sim.oneOf(spares));
        }
        return VoterConfig.newBuilder()
                .setGeneration(present.getGeneration() + 1)
                .addAllWalIds(walIds)
                .build();
    }

    /** A new term for a store that seems to be alive, or for any. */
    void takeOver(long region) {
        Assignment assignment = assignments.get(region);
        if (assignment == null) {
            return;
        }
        List<SimStore> candidates = new ArrayList<>();
        for (SimStore store : cluster.stores()) {
            if (store.alive() && !unreachable.contains(store.storeId())) {
                candidates.add(store);
            }
        }
        if (candidates.isEmpty()) {
            return;
        }
        boolean reuse = cluster.plant().reusesTerms() && sim.random().chance(0.3);
        if (!reuse || assignment.term == 0) {
            assignment.term++;
            issued++;
        }
        SimStore store = sim.oneOf(candidates);
        assignment.store = store;
        assignment.incarnation = store.owner().getIncarnation();
        assignment.missingSinceNanos = -1;
        sim.trace("pd gives region " + region, assignment.term, store.storeId());
        send(region, assignment);
    }

    private void send(long region, Assignment assignment) {
        SimStore store = assignment.store;
        if (store == null || !store.alive() || sim.random().chance(0.1)) {
            return;
        }
        long term = assignment.term;
        Origin origin = assignment.led ? null : BOOTSTRAP;
        VoterConfig config = assignment.config;
        store.later(
                sim.about(20 * Sim.MS), "assign", () -> store.assign(region, term, config, origin));
    }
}
