package io.tidekv.sim;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The stream between one compute process and one WAL node. As on TCP, messages arrive in order or
 * not at all; when it breaks, a prefix of what was under way may still arrive, even after the next
 * connection is up, and no answer does.
 */
final class SimLink {
    /** Longer than this no message is under way: keepalive would have broken the stream. */
    private static final long SLOWEST_NANOS = 1000 * Sim.MS;

    private final Sim sim;
    private final SimSettings settings;
    private final SimStore store;
    private final SimWal wal;
    private final int storeLife;
    private final Owner owner;
    private boolean up;
    private boolean blockedThere;
    private boolean blockedBack;
    private int connection;
    private long lastThereNanos;
    private long lastBackNanos;
    private final ArrayDeque<Runnable> heldThere = new ArrayDeque<>();
    private final ArrayDeque<Runnable> heldBack = new ArrayDeque<>();
    private int thereUnderWay;
    private int thereToArrive;

    SimLink(Sim sim, SimSettings settings, SimStore store, SimWal wal) {
        this.sim = sim;
        this.settings = settings;
        this.store = store;
        this.wal = wal;
        this.storeLife = store.life();
        this.owner = store.owner();
    }

    SimStore store() {
        return store;
    }

    /** Who said Hello on the connection. */
    Owner owner() {
        return owner;
    }

    SimWal wal() {
        return wal;
    }

    boolean isUp() {
        return up;
    }

    private boolean current() {
        return store.alive() && store.life() == storeLife;
    }

    /** Tries to connect, again and again as long as the process lives. */
    void connectSoon() {
        sim.after(
                delay() + sim.between(0, 50 * Sim.MS),
                "connect",
                () -> {
                    if (!current() || up) {
                        return;
                    }
                    if (!wal.alive() || blockedThere || blockedBack) {
                        connectSoon();
                        return;
                    }
                    up = true;
                    connection++;
                    thereUnderWay = 0;
                    thereToArrive = Integer.MAX_VALUE;
                    sim.trace("connected " + store.name + " " + wal.name, connection, 0);
                    store.later(0, "onConnected", () -> store.onConnected(this));
                });
    }

    /** Breaks the connection; the process is told a little later and tries again. */
    void breakUp(String why) {
        if (!up) {
            return;
        }
        up = false;
        int broken = connection;
        sim.trace("broken " + why + " " + store.name + " " + wal.name, connection, thereUnderWay);
        thereToArrive = sim.random().chance(0.5) ? sim.random().nextInt(thereUnderWay + 1) : 0;
        List<Runnable> held = new ArrayList<>(heldThere);
        heldThere.clear();
        heldBack.clear();
        held.forEach(Runnable::run);
        if (current()) {
            store.later(
                    delay(),
                    "onDisconnected",
                    () -> {
                        if (connection == broken) {
                            store.onDisconnected(this);
                        }
                    });
            connectSoon();
        }
    }

    /** Stops one direction or both: messages wait. A stream that is stuck for long is broken. */
    void block(boolean there, boolean back, long nanos) {
        blockedThere |= there;
        blockedBack |= back;
        sim.trace(
                "blocked " + store.name + " " + wal.name, (there ? 1 : 0) + (back ? 2 : 0), nanos);
        long stuck = sim.between(1000 * Sim.MS, 3000 * Sim.MS);
        if (nanos > stuck) {
            int now = connection;
            sim.after(
                    stuck,
                    "keepalive",
                    () -> {
                        if (connection == now) {
                            breakUp("keepalive");
                        }
                    });
        }
        sim.after(nanos, "unblock", this::unblock);
    }

    void unblock() {
        blockedThere = false;
        blockedBack = false;
        List<Runnable> there = new ArrayList<>(heldThere);
        heldThere.clear();
        there.forEach(Runnable::run);
        List<Runnable> back = new ArrayList<>(heldBack);
        heldBack.clear();
        back.forEach(Runnable::run);
    }

    void send(List<WalRequest> requests) {
        if (!up) {
            return;
        }
        int on = connection;
        int life = wal.life();
        int position = thereUnderWay++;
        lastThereNanos = Math.max(lastThereNanos, sim.nowNanos() + delay());
        sim.after(
                lastThereNanos - sim.nowNanos(),
                "request",
                () -> {
                    if (blockedThere && up && connection == on) {
                        heldThere.add(() -> arrive(on, life, position, requests));
                    } else {
                        arrive(on, life, position, requests);
                    }
                });
    }

    private void arrive(int on, int life, int position, List<WalRequest> requests) {
        boolean alive = wal.alive() && wal.life() == life;
        if (up && connection == on) {
            if (alive) {
                wal.later(0, "arrive", () -> wal.receive(this, on, requests));
            }
        } else if (alive && position < thereToArrive && connection <= on + 1) {
            sim.mark("link: a request arrives after its connection broke");
            // What the kernel had already taken of a broken stream.
            long late = sim.random().chance(0.3) ? sim.between(0, 1500 * Sim.MS) : 0;
            wal.later(late, "arrive late", () -> wal.receive(this, on, requests));
        }
    }

    void respond(int on, List<WalResponse> responses) {
        if (!up || connection != on) {
            return;
        }
        lastBackNanos = Math.max(lastBackNanos, sim.nowNanos() + delay());
        sim.after(
                lastBackNanos - sim.nowNanos(),
                "response",
                () -> {
                    if (!up || connection != on) {
                        return;
                    }
                    if (blockedBack) {
                        heldBack.add(() -> hand(on, responses));
                    } else {
                        hand(on, responses);
                    }
                });
    }

    private void hand(int on, List<WalResponse> responses) {
        if (current() && up && connection == on) {
            store.later(
                    0,
                    "onResponses",
                    () -> {
                        if (up && connection == on) {
                            store.onResponses(this, responses);
                        }
                    });
        }
    }

    private long delay() {
        long mean = (long) (settings.netMs() * Sim.MS);
        long slow = sim.random().chance(0.01) ? sim.about(20 * mean) : 0;
        return Math.min(mean / 3 + sim.about(mean) + slow, SLOWEST_NANOS);
    }
}
