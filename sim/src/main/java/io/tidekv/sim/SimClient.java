package io.tidekv.sim;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client with one operation at a time: picks a register, asks PD or chance where to go, and gives
 * up after a while, not knowing what became of it.
 */
final class SimClient {
    private static final long TIMEOUT_NANOS = 1500 * Sim.MS;

    private final Sim sim;
    private final Cluster cluster;
    private final SimPd pd;
    private final OpIds ids;
    private boolean stopped;
    private long current;

    /** Numbers of operations, over all clients. */
    static final class OpIds {
        private long last;

        long next() {
            return ++last;
        }
    }

    SimClient(Sim sim, Cluster cluster, SimPd pd, OpIds ids) {
        this.sim = sim;
        this.cluster = cluster;
        this.pd = pd;
        this.ids = ids;
    }

    void start() {
        next(sim.between(0, 100 * Sim.MS));
    }

    void stop() {
        stopped = true;
    }

    private void next(long delayNanos) {
        sim.after(
                delayNanos,
                "client",
                () -> {
                    if (!stopped) {
                        operate();
                    }
                });
    }

    private void operate() {
        long region = 1L + sim.random().nextInt(cluster.settings().regions());
        int key = sim.random().nextInt(cluster.settings().keys());
        SimStore store = target(region);
        if (store == null || !store.alive()) {
            next(sim.about(50 * Sim.MS));
            return;
        }
        long op = ids.next();
        current = op;
        long floor = cluster.history().floor(region, key);
        boolean write = sim.random().chance(0.5);
        store.later(net(), "operation", () -> serve(store, region, key, op, floor, write));
        sim.after(TIMEOUT_NANOS, "client gives up", () -> done(op));
    }

    private void serve(SimStore store, long region, int key, long op, long floor, boolean write) {
        SimPeer peer = store.peer(region);
        if (peer == null) {
            answer(() -> done(op));
            return;
        }
        store.step(
                renewing -> {
                    if (write) {
                        int padding = sim.random().nextInt(sim.random().chance(0.05) ? 1500 : 60);
                        peer.write(
                                key,
                                op,
                                padding,
                                index -> answer(() -> written(region, key, op, floor, index)));
                    } else {
                        boolean trust = sim.random().chance(0.8);
                        peer.read(
                                key,
                                trust,
                                store.now(),
                                value -> answer(() -> read(region, key, op, floor, value)));
                    }
                });
    }

    private void answer(Runnable action) {
        sim.after(net(), "answer", action);
    }

    private void written(long region, int key, long op, long floor, long index) {
        if (current == op && index > 0) {
            cluster.history().written(region, key, floor, index);
            sim.trace("written", op, index);
        }
        done(op);
    }

    private void read(long region, int key, long op, long floor, long value) {
        if (current == op && value >= 0) {
            long index = cluster.golden(region).indexOf(value);
            cluster.history().read(region, key, floor, index);
            sim.trace("read", op, index);
        }
        done(op);
    }

    private void done(long op) {
        if (current == op) {
            current = 0;
            next(sim.about((long) (cluster.settings().thinkMs() * Sim.MS)));
        }
    }

    private @Nullable SimStore target(long region) {
        if (sim.random().chance(0.6)) {
            return pd.route(region);
        }
        List<SimStore> serving = new ArrayList<>();
        for (SimStore store : cluster.stores()) {
            SimPeer peer = store.peer(region);
            if (store.alive() && peer != null && peer.serving()) {
                serving.add(store);
            }
        }
        return serving.isEmpty() ? null : sim.oneOf(serving);
    }

    private long net() {
        return sim.about((long) (cluster.settings().netMs() * Sim.MS));
    }
}
