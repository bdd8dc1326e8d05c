package io.tidekv.sim;

import io.tidekv.common.InvariantViolation;
import io.tidekv.common.Randomness;
import io.tidekv.common.codec.EntryAssembler;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.proto.region.Entry;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterView;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One run: real voters and real leaders under everything that a seed brings, every promise checked
 * after every event; then the faults end, and the cluster must come to rest in order.
 */
public final class Simulation {
    private static final long CONVERGE_MS = 30_000;

    private final Sim sim;
    private final SimSettings settings;
    private final Cluster cluster;
    private final SimPd pd;
    private final Nemesis nemesis;
    private final List<SimClient> clients = new ArrayList<>();

    /** What a run came to. Equal seeds give equal outcomes. */
    public record Outcome(
            long seed,
            long hash,
            long events,
            long answered,
            long committed,
            long terms,
            Map<String, Long> marks) {}

    private Simulation(long seed, Plant plant, boolean verbose) {
        sim = new Sim(seed, verbose);
        settings = SimSettings.of(Randomness.seeded(seed * 31 + 7));
        cluster = new Cluster(sim, settings, plant);
        pd = new SimPd(sim, cluster);
        nemesis = new Nemesis(sim, cluster, pd);
        SimClient.OpIds ids = new SimClient.OpIds();
        for (int i = 0; i < settings.clients(); i++) {
            clients.add(new SimClient(sim, cluster, pd, ids));
        }
    }

    /**
     * Runs a seed.
     *
     * @throws AssertionError naming the seed and the moment, when a promise is broken
     */
    public static Outcome run(long seed, boolean verbose) {
        return run(seed, Plant.NONE, verbose);
    }

    static Outcome run(long seed, Plant plant, boolean verbose) {
        Simulation run = new Simulation(seed, plant, verbose);
        try {
            return run.run(seed);
        } catch (SimFailure | InvariantViolation e) {
            if (verbose) {
                run.sim.marks().forEach((mark, seen) -> System.out.println(mark + ": " + seen));
            }
            String what =
                    String.format(
                            Locale.ROOT,
                            "seed %d, %.3f s, event %d: %s%nreplay: mvn -pl sim -am test"
                                    + " -Dtest=SimulationTest -Dsim.seed=%d",
                            seed,
                            run.sim.nowNanos() / 1e9,
                            run.sim.events(),
                            e.getMessage(),
                            seed);
            throw new AssertionError(what, e);
        }
    }

    private Outcome run(long seed) {
        cluster.start();
        pd.start();
        nemesis.start();
        clients.forEach(SimClient::start);
        sim.runUntil(settings.faultMs() * Sim.MS);
        nemesis.healAll();
        clients.forEach(SimClient::stop);
        long deadline = sim.nowNanos() + CONVERGE_MS * Sim.MS;
        // Pauses that are under way end by themselves.
        sim.runUntil(sim.nowNanos() + 6000 * Sim.MS);
        String missing = missing();
        while (!missing.isEmpty()) {
            SimFailure.check(sim.nowNanos() < deadline, "no rest after the faults: %s", missing);
            sim.runUntil(sim.nowNanos() + 200 * Sim.MS);
            missing = missing();
        }
        long committed = 0;
        for (long region : cluster.regions()) {
            proveAlive(region);
            checkLogs(region);
            committed += cluster.golden(region).tipIndex();
        }
        return new Outcome(
                seed,
                sim.hash(),
                sim.events(),
                cluster.history().answered(),
                committed,
                pd.issued(),
                sim.marks());
    }

    /** What is not at rest yet; empty when all is. */
    private String missing() {
        for (long region : cluster.regions()) {
            SimStore store = pd.route(region);
            SimPeer peer = store == null ? null : store.peer(region);
            if (store == null || peer == null || !peer.serving()) {
                return "region " + region + " is not served";
            }
            RegionLeader leader = peer.leader();
            if (!leader.leaseValid(store.now())) {
                return "region " + region + " has no lease";
            }
            if (pd.changing(region)) {
                return "the voters of region "
                        + region
                        + " are not changed from "
                        + leader.config()
                        + " by "
                        + leader.voterChange();
            }
            for (SimWal wal : cluster.voters()) {
                if (!leader.config().getWalIdsList().contains(wal.walId())) {
                    continue;
                }
                VoterNode node = wal.voters();
                VoterView view = node == null ? null : node.view(region);
                if (view == null
                        || view.learner()
                        || view.lastIndex() != leader.lastIndex()
                        || view.commitIndex() != leader.commitIndex()
                        || view.term() != leader.term()) {
                    return "region " + region + " is not whole on " + wal.name + ": " + view;
                }
            }
        }
        return "";
    }

    /** A last write and a last read, in quiet. */
    private void proveAlive(long region) {
        SimStore store = pd.route(region);
        SimPeer peer = store == null ? null : store.peer(region);
        if (store == null || peer == null) {
            throw new SimFailure("region " + region + " is not served");
        }
        long[] written = {0};
        long[] read = {-1};
        long op = Long.MAX_VALUE - region;
        store.step(renewing -> peer.write(0, op, 10, index -> written[0] = index));
        sim.runUntil(sim.nowNanos() + 3000 * Sim.MS);
        SimFailure.check(written[0] > 0, "region %d: the last write fails", region);
        store.step(renewing -> peer.read(0, false, store.now(), value -> read[0] = value));
        sim.runUntil(sim.nowNanos() + 3000 * Sim.MS);
        SimFailure.check(read[0] == op, "region %d: the last read fails", region);
    }

    /** Every voter's disk agrees with what was committed; a node that is none may be behind. */
    private void checkLogs(long region) {
        GoldenLog golden = cluster.golden(region);
        for (SimWal wal : cluster.voters()) {
            if (!pd.voters(region).contains(wal.walId())) {
                continue;
            }
            EntryAssembler assembler = new EntryAssembler();
            for (Entry entry : assembler.addAll(wal.disk().durableEntries(region))) {
                SimFailure.check(
                        !golden.knows(entry.getIndex())
                                || golden.get(entry.getIndex()).equals(entry),
                        "region %d: %s has another entry %d",
                        region,
                        wal.name,
                        entry.getIndex());
            }
        }
    }
}
