package io.tidekv.sim;

import io.tidekv.proto.region.VoterConfig;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The processes of a simulated cluster and what is promised about them. */
final class Cluster {
    /** With two, nobody is a majority without the other. */
    private static final int VOTERS_MIN = 3;

    private final Sim sim;
    private final SimSettings settings;
    private final Plant plant;
    private final List<SimWal> voters = new ArrayList<>();
    private final List<SimStore> stores = new ArrayList<>();
    private final Map<Long, GoldenLog> golden = new TreeMap<>();
    private final Records records = new Records();
    private final History history = new History();
    private final VoterConfig config;
    private long incarnations;

    Cluster(Sim sim, SimSettings settings, Plant plant) {
        this.sim = sim;
        this.settings = settings;
        this.plant = plant;
        LogWatch watch = new LogWatch(plant.watchesOwners());
        VoterConfig.Builder all = VoterConfig.newBuilder().setGeneration(1);
        for (long walId = 1; walId <= settings.voters() + settings.spares(); walId++) {
            voters.add(new SimWal(sim, this, watch, walId, rate()));
            if (walId <= settings.voters()) {
                all.addWalIds(walId);
            }
        }
        config = all.build();
        for (long storeId = 1; storeId <= settings.stores(); storeId++) {
            stores.add(new SimStore(sim, this, storeId, rate()));
        }
        for (long region = 1; region <= settings.regions(); region++) {
            golden.put(region, new GoldenLog(region, config));
        }
    }

    private double rate() {
        return 1 + settings.drift() * (2 * sim.random().nextDouble() - 1);
    }

    void start() {
        voters.forEach(SimWal::start);
        stores.forEach(this::start);
        sim.checkAlways(this::check);
    }

    /** A new life of a compute process, with an incarnation of its own. */
    void start(SimStore store) {
        store.start(++incarnations);
    }

    SimSettings settings() {
        return settings;
    }

    Plant plant() {
        return plant;
    }

    /** All WAL nodes, also those that are no voters of anything. */
    List<SimWal> voters() {
        return voters;
    }

    List<SimStore> stores() {
        return stores;
    }

    /** The voters that each region begins with. */
    VoterConfig config() {
        return config;
    }

    Records records() {
        return records;
    }

    History history() {
        return history;
    }

    GoldenLog golden(long regionId) {
        GoldenLog log = golden.get(regionId);
        if (log == null) {
            throw new SimFailure("no region " + regionId);
        }
        return log;
    }

    Iterable<Long> regions() {
        return golden.keySet();
    }

    /**
     * Whether every region goes on without what is on the disk of this node, which is down: no
     * other lacks anything, and nobody knows of a config of fewer than three voters.
     */
    boolean canSpare(SimWal spared) {
        boolean can = true;
        for (SimWal wal : voters) {
            for (long region : regions()) {
                VoterNode node = wal.voters();
                VoterView view = node == null ? null : node.view(region);
                boolean wide = view == null || view.config().getWalIdsCount() >= VOTERS_MIN;
                can &= wide && !wal.disk().lacks(region) && (node != null || wal == spared);
            }
        }
        for (SimStore store : stores) {
            for (SimPeer peer : store.peers()) {
                can &= peer.leader().configInForce().getWalIdsCount() >= VOTERS_MIN;
            }
        }
        return can;
    }

    /** What holds after every event. */
    private void check() {
        for (GoldenLog log : plant.watchesDisks() ? golden.values() : List.<GoldenLog>of()) {
            log.checkDurable(voters);
        }
        for (SimStore store : stores) {
            if (!store.running()) {
                continue;
            }
            for (SimPeer peer : store.peers()) {
                long region = peer.leader().regionId();
                SimFailure.check(
                        golden(region).tipTerm() <= peer.leader().term()
                                || !peer.leader().leaseValid(store.now()),
                        "region %d: term %d has a lease on %s, term %d has committed",
                        region,
                        peer.leader().term(),
                        store.name,
                        golden(region).tipTerm());
            }
        }
    }

    /** What holds at a voter after it has handled requests. */
    void checkVoter(VoterNode node) {
        for (long region : regions()) {
            VoterView view = node.view(region);
            if (view != null) {
                SimFailure.check(
                        view.commitIndex() <= golden(region).tipIndex(),
                        "region %d: a voter believes %d to be committed, it is %d",
                        region,
                        view.commitIndex(),
                        golden(region).tipIndex());
            }
        }
    }
}
