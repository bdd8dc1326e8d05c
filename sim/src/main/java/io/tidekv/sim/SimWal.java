package io.tidekv.sim;

import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.VoterNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A WAL node: real voters over a simulated disk, one fsync for all that arrived meanwhile. */
final class SimWal extends SimProcess {
    private final long walId;
    private final SimSettings settings;
    private final Plant plant;
    private final Cluster cluster;
    private final SimDisk disk;
    private final List<Arrived> inbox = new ArrayList<>();
    private final List<SimLink> links = new ArrayList<>();
    private @Nullable VoterNode voters;
    private boolean syncing;

    private record Arrived(SimLink link, int connection, WalRequest request) {}

    private record Stream(SimLink link, int connection) {}

    SimWal(Sim sim, Cluster cluster, LogWatch watch, long walId, double rate) {
        super(sim, "wal" + walId, rate);
        this.walId = walId;
        this.settings = cluster.settings();
        this.plant = cluster.plant();
        this.cluster = cluster;
        this.disk = new SimDisk(watch);
    }

    long walId() {
        return walId;
    }

    SimDisk disk() {
        return disk;
    }

    @Nullable VoterNode voters() {
        return voters;
    }

    void attach(SimLink link) {
        links.add(link);
    }

    void detach(SimLink link) {
        links.remove(link);
    }

    void start() {
        begin();
        recover();
        later(500 * Sim.MS, "wal tick", this::tick);
    }

    private void recover() {
        inbox.clear();
        syncing = false;
        voters = new VoterNode(disk, plant.voterRules(), sim.random().nextLong() >>> 1, now());
    }

    private void tick() {
        VoterNode node = voters;
        if (node != null) {
            node.tick(now());
        }
        later(500 * Sim.MS, "wal tick", this::tick);
    }

    /** kill -9, or a power loss: what was not synced may be gone. */
    void crash() {
        if (!alive()) {
            return;
        }
        end();
        voters = null;
        disk.crash(sim);
        List.copyOf(links).forEach(link -> link.breakUp("crash"));
    }

    void receive(SimLink link, int connection, List<WalRequest> requests) {
        for (WalRequest request : requests) {
            inbox.add(new Arrived(link, connection, request));
        }
        if (!syncing) {
            round();
        }
    }

    /** Handles what has arrived, syncs once, answers. */
    private void round() {
        VoterNode node = voters;
        if (node == null || inbox.isEmpty()) {
            return;
        }
        Map<Stream, List<WalResponse>> answers = new LinkedHashMap<>();
        for (Arrived arrived : inbox) {
            WalResponse response = node.handle(arrived.link.owner(), arrived.request, now());
            mark(arrived.request, response);
            answers.computeIfAbsent(
                            new Stream(arrived.link, arrived.connection),
                            stream -> new ArrayList<>())
                    .add(response);
        }
        inbox.clear();
        if (node.failed()) {
            // Nothing is answered: what is durable is found out first.
            disk.crash(sim);
            sim.mark("voter: storage recovered in place");
            sim.trace(name + " recovers its storage", 0, 0);
            recover();
            List.copyOf(links).forEach(link -> link.breakUp("storage"));
            return;
        }
        cluster.checkVoter(node);
        long position = disk.position();
        long mean = (long) (settings.diskMs() * Sim.MS);
        long slow = sim.random().chance(0.02) ? sim.about(10 * mean) : 0;
        long delay = disk.dirty() ? mean / 2 + sim.about(mean) + slow : 0;
        if (plant.skipsFsync() && sim.random().chance(0.3)) {
            answer(answers);
            later(sim.about(300 * Sim.MS), "late sync", () -> disk.syncTo(position));
            return;
        }
        syncing = true;
        VoterNode mine = node;
        later(
                delay,
                "synced",
                () -> {
                    if (voters != mine) {
                        return;
                    }
                    syncing = false;
                    disk.syncTo(position);
                    answer(answers);
                    round();
                });
    }

    private void mark(WalRequest request, WalResponse response) {
        if (response.hasError()) {
            sim.mark(
                    "voter: "
                            + response.getError().getCode()
                            + (response.getError().getCodeValue() == 7
                                    ? response.getError().getMessage()
                                    : ""));
        } else {
            sim.mark("voter: " + request.getBodyCase());
        }
        if (request.getAppend().getResetToSnapshot()) {
            sim.mark("voter: reset to snapshot");
        }
        if (response.hasAppend() && !response.getAppend().getMatched()) {
            sim.mark("voter: prev does not match");
        }
        if (response.getPendingTerm() > 0) {
            sim.mark("voter: tells the owner of a pending term");
        }
        if (response.getRenew().getPendingCount() > 0) {
            sim.mark("voter: a renewal leaves a region out");
        }
    }

    private static void answer(Map<Stream, List<WalResponse>> answers) {
        answers.forEach(
                (stream, responses) -> stream.link().respond(stream.connection(), responses));
    }
}
