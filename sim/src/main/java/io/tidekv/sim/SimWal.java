package io.tidekv.sim;

import io.tidekv.proto.wal.WalError;
import io.tidekv.proto.wal.WalErrorCode;
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
    private boolean broken;
    private long slowestNanos;
    private long slowUntilNanos;

    private record Arrived(SimLink link, int connection, WalRequest request) {}

    private record Stream(SimLink link, int connection) {}

    SimWal(Sim sim, Cluster cluster, LogWatch watch, long walId, double rate) {
        super(sim, "wal" + walId, rate);
        this.walId = walId;
        this.settings = cluster.settings();
        this.plant = cluster.plant();
        this.cluster = cluster;
        this.disk =
                cluster.settings().segments()
                        ? new SegmentDisk(sim, watch, plant.repairedCounts())
                        : new MemoryDisk(sim, watch);
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

    /** For some time each sync takes up to so much longer. */
    void slowSyncs(long slowestNanos, long forNanos) {
        this.slowestNanos = slowestNanos;
        slowUntilNanos = sim.nowNanos() + forNanos;
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
        broken = false;
        voters =
                new VoterNode(
                        disk.storage(), plant.voterRules(), sim.random().nextLong() >>> 1, now());
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
        disk.crash();
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
            WalResponse response =
                    broken
                            ? failure(arrived.request)
                            : node.handle(arrived.link.owner(), arrived.request, now());
            mark(arrived.request, response);
            answers.computeIfAbsent(
                            new Stream(arrived.link, arrived.connection),
                            stream -> new ArrayList<>())
                    .add(response);
        }
        inbox.clear();
        if (broken || node.failed()) {
            fail(answers);
            return;
        }
        cluster.checkVoter(node);
        long position = disk.position();
        if (plant.skipsFsync() && sim.random().chance(0.3)) {
            answer(answers);
            later(sim.about(300 * Sim.MS), "late sync", () -> disk.syncTo(position));
            return;
        }
        syncing = true;
        later(syncTime(), "synced", () -> synced(node, position, answers));
    }

    private long syncTime() {
        long mean = (long) (settings.diskMs() * Sim.MS);
        long slow = sim.random().chance(0.02) ? sim.about(10 * mean) : 0;
        if (disk.dirty() && sim.nowNanos() < slowUntilNanos) {
            sim.mark("voter: a slow disk");
            slow += sim.between(0, slowestNanos);
        }
        return disk.dirty() ? mean / 2 + sim.about(mean) + slow : 0;
    }

    private void synced(VoterNode node, long position, Map<Stream, List<WalResponse>> answers) {
        if (voters != node) {
            return;
        }
        syncing = false;
        if (!disk.syncTo(position)) {
            fail(answers);
            return;
        }
        answer(answers);
        disk.maintain();
        round();
    }

    /** Nothing of what was handled is certain: says so, and reads back what is durable. */
    private void fail(Map<Stream, List<WalResponse>> answers) {
        answers.values().forEach(responses -> responses.replaceAll(SimWal::failure));
        answer(answers);
        if (!broken) {
            broken = true;
            later(
                    sim.between(0, 500 * Sim.MS),
                    "recover",
                    () -> {
                        disk.reopen();
                        sim.mark("voter: storage recovered in place");
                        recover();
                    });
        }
        round();
    }

    private static WalResponse failure(WalRequest request) {
        return failure(request.getSeq(), request.getRegionId());
    }

    private static WalResponse failure(WalResponse response) {
        return failure(response.getSeq(), response.getRegionId());
    }

    private static WalResponse failure(long seq, long regionId) {
        return WalResponse.newBuilder()
                .setSeq(seq)
                .setRegionId(regionId)
                .setError(WalError.newBuilder().setCode(WalErrorCode.STORAGE_FAILED))
                .build();
    }

    private void mark(WalRequest request, WalResponse response) {
        if (response.hasError()) {
            sim.mark("voter: " + response.getError().getCode());
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
