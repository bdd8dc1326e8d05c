package io.tidekv.sim;

import java.util.ArrayList;
import java.util.List;

/**
 * Breaks things, at random and at rates that differ from seed to seed; can make all whole again.
 */
final class Nemesis {
    private final Sim sim;
    private final Cluster cluster;
    private final SimPd pd;
    private boolean stopped;

    Nemesis(Sim sim, Cluster cluster, SimPd pd) {
        this.sim = sim;
        this.cluster = cluster;
        this.pd = pd;
    }

    void start() {
        SimSettings.Faults rates = cluster.settings().faults();
        often(rates.walCrash(), this::crashWal);
        often(rates.walPause(), () -> pause(sim.oneOf(cluster.voters()), sim.random().chance(0.5)));
        often(rates.storeCrash(), this::crashStore);
        often(rates.storePause(), () -> pause(sim.oneOf(cluster.stores()), false));
        often(rates.machinePause(), () -> pause(sim.oneOf(cluster.stores()), true));
        often(rates.wallJump(), this::jumpWall);
        often(rates.disconnect(), this::disconnect);
        often(rates.partition(), this::partition);
        often(rates.pdPartition(), this::partitionPd);
        often(rates.move(), this::move);
        often(rates.falseTakeover(), () -> pd.takeOver(region()));
        often(rates.diskFull(), this::fillDisk);
        often(rates.diskFailure(), () -> sim.oneOf(cluster.voters()).disk().failNext());
        often(rates.slowDisk(), this::slowDisk);
        if (cluster.settings().segments()) {
            often(rates.damage(), this::damage);
        }
        often(rates.siege(), this::besiege);
        often(rates.voterChange(), () -> pd.changeVoters(region()));
        if (cluster.plant().emptiesFolders()) {
            often(0.3, this::emptyFolder);
        }
        often(
                cluster.settings().publishPerSecond(),
                () -> sim.oneOf(cluster.stores()).publishSome());
    }

    private void often(double perSecond, Runnable fault) {
        if (perSecond > 0) {
            sim.after(
                    sim.about((long) (1000 * Sim.MS / perSecond)),
                    "nemesis",
                    () -> {
                        if (!stopped) {
                            fault.run();
                            often(perSecond, fault);
                        }
                    });
        }
    }

    private long region() {
        return 1L + sim.random().nextInt(cluster.settings().regions());
    }

    private List<SimLink> links() {
        List<SimLink> links = new ArrayList<>();
        for (SimStore store : cluster.stores()) {
            store.links().forEach(links::add);
        }
        return links;
    }

    private void disconnect() {
        List<SimLink> links = links();
        if (!links.isEmpty()) {
            sim.oneOf(links).breakUp("nemesis");
        }
    }

    /**
     * Takes a region from an owner that is alive and cannot hear, the moment at which leases count:
     * cut off, asleep, or with its WAL nodes restarting.
     */
    private void besiege() {
        long region = region();
        SimStore owner = pd.route(region);
        if (owner == null || !owner.running()) {
            return;
        }
        if (sim.random().chance(0.3)) {
            pd.changeVoters(region);
        }
        if (sim.random().chance(0.3)) {
            split(owner);
            soon(() -> pd.takeOver(region));
            return;
        }
        if (sim.random().chance(0.6)) {
            boolean there = sim.random().chance(0.4);
            long nanos = sim.between(200 * Sim.MS, 3000 * Sim.MS);
            for (SimLink link : owner.links()) {
                if (sim.random().chance(0.8)) {
                    soon(() -> link.block(there, !there || sim.random().chance(0.3), nanos));
                }
            }
        }
        if (sim.random().chance(0.4)) {
            soon(() -> pause(owner, cluster.settings().faults().machinePause() > 0));
        }
        if (sim.random().chance(0.4)) {
            for (SimWal wal : cluster.voters()) {
                if (sim.random().chance(0.8)) {
                    soon(() -> crash(wal, 100 * Sim.MS));
                }
            }
        }
        soon(() -> pd.takeOver(region));
        if (sim.random().chance(0.5)) {
            soon(() -> pd.takeOver(region));
        }
    }

    /** The owner keeps a few WAL nodes to itself, all others have the rest. */
    private void split(SimStore owner) {
        int kept = 1 + sim.random().nextInt(cluster.voters().size() / 2);
        int first = sim.random().nextInt(cluster.voters().size());
        long nanos = sim.between(500 * Sim.MS, 4000 * Sim.MS);
        for (SimLink link : links()) {
            long place = (link.wal().walId() - 1 - first + cluster.voters().size());
            boolean keeps = place % cluster.voters().size() < kept;
            if (keeps != (link.store() == owner)) {
                link.block(true, true, nanos);
            }
        }
    }

    private void soon(Runnable action) {
        sim.after(sim.about(150 * Sim.MS), "siege", action);
    }

    private void crashWal() {
        long most = sim.random().chance(0.3) ? 4000 * Sim.MS : 600 * Sim.MS;
        crash(sim.oneOf(cluster.voters()), most);
    }

    private void crash(SimWal wal, long downNanosMax) {
        if (wal.alive()) {
            wal.crash();
            sim.after(
                    sim.between(20 * Sim.MS, downNanosMax),
                    "restart",
                    () -> {
                        if (!wal.alive()) {
                            wal.start();
                        }
                    });
        }
    }

    /**
     * A byte changes on the disk of a node that is down. Never on two nodes at a time: the log
     * promises to survive one, until that has caught up.
     */
    private void damage() {
        SimWal wal = sim.oneOf(cluster.voters());
        if (!wal.alive()) {
            return;
        }
        wal.crash();
        sim.after(
                sim.between(20 * Sim.MS, 1000 * Sim.MS),
                "restart",
                () -> {
                    if (!wal.alive()) {
                        if (cluster.canSpare(wal) && !pd.changingAny()) {
                            wal.disk().rot(() -> pd.bounds(wal.walId()));
                        }
                        wal.start();
                    }
                });
    }

    /** The disk is lost, and the node goes on under its old name. */
    private void emptyFolder() {
        SimWal wal = sim.oneOf(cluster.voters());
        if (wal.alive()) {
            wal.crash();
            wal.disk().wipe();
            wal.start();
            cluster.regions().forEach(region -> soon(() -> pd.takeOver(region)));
        }
    }

    private void crashStore() {
        SimStore store = sim.oneOf(cluster.stores());
        if (store.alive()) {
            store.crash();
            sim.after(
                    sim.between(50 * Sim.MS, 3000 * Sim.MS),
                    "restart",
                    () -> {
                        if (!store.alive()) {
                            cluster.start(store);
                        }
                    });
        }
    }

    private void pause(SimProcess process, boolean machine) {
        long most = sim.random().chance(0.5) ? 400 * Sim.MS : 4000 * Sim.MS;
        process.pause(sim.between(10 * Sim.MS, most), machine);
    }

    private void jumpWall() {
        long by = sim.between(20 * Sim.MS, sim.random().chance(0.5) ? 300 * Sim.MS : 5000 * Sim.MS);
        sim.oneOf(cluster.stores()).clock().jumpWall(sim.random().chance(0.5) ? by : -by);
    }

    private void partition() {
        long nanos =
                sim.between(50 * Sim.MS, sim.random().chance(0.5) ? 1000 * Sim.MS : 5000 * Sim.MS);
        boolean there = sim.random().chance(0.7);
        boolean back = !there || sim.random().chance(0.5);
        int kind = sim.random().nextInt(3);
        List<SimLink> links = links();
        SimLink one = links.isEmpty() ? null : sim.oneOf(links);
        for (SimLink link : links) {
            boolean cut =
                    switch (kind) {
                        case 0 -> link == one;
                        case 1 -> one != null && link.store() == one.store();
                        default -> one != null && link.wal() == one.wal();
                    };
            if (cut) {
                link.block(there, back, nanos);
            }
        }
    }

    private void partitionPd() {
        SimStore store = sim.oneOf(cluster.stores());
        pd.partition(store, true);
        sim.after(
                sim.between(500 * Sim.MS, 4000 * Sim.MS),
                "pd heals",
                () -> pd.partition(store, false));
    }

    private void move() {
        long region = region();
        SimStore store = pd.route(region);
        if (store != null) {
            store.later(sim.about(10 * Sim.MS), "move", () -> store.release(region));
        }
    }

    private void fillDisk() {
        SimWal wal = sim.oneOf(cluster.voters());
        wal.disk().full(true);
        sim.after(sim.between(100 * Sim.MS, 2000 * Sim.MS), "space", () -> wal.disk().full(false));
    }

    /** Syncs take long, up to longer than a lease; sometimes on a majority of the nodes. */
    private void slowDisk() {
        int first = sim.random().nextInt(cluster.voters().size());
        int count = sim.random().chance(0.7) ? 1 : 2;
        long slowest = sim.random().chance(0.5) ? 100 * Sim.MS : 1500 * Sim.MS;
        for (int i = 0; i < count; i++) {
            cluster.voters()
                    .get((first + i) % cluster.voters().size())
                    .slowSyncs(slowest, sim.between(200 * Sim.MS, 4000 * Sim.MS));
        }
    }

    /** Ends all faults; what is down comes back. */
    void healAll() {
        stopped = true;
        for (SimWal wal : cluster.voters()) {
            wal.disk().full(false);
            if (!wal.alive()) {
                wal.start();
            }
        }
        for (SimStore store : cluster.stores()) {
            pd.partition(store, false);
            if (!store.alive()) {
                cluster.start(store);
            }
        }
        links().forEach(SimLink::unblock);
        if (cluster.plant().emptiesFolders()) {
            // A leader does not count a node again in its term that has lost what it had.
            cluster.regions().forEach(pd::takeOver);
        }
    }
}
