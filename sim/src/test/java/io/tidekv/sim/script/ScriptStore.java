package io.tidekv.sim.script;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.region.core.LeaderPhase;
import io.tidekv.compute.region.core.LeaderRules;
import io.tidekv.compute.region.core.ProposalRefused;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.compute.region.core.SessionRenewer;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A compute process of a script, with at most one leader. */
final class ScriptStore {
    static final LeaderOptions OPTIONS =
            new LeaderOptions(1000, 100, 300, 20, 200, 1 << 20, 4096, 16384, 4096);

    private static final long SEQ_MASK = (1L << 40) - 1;

    final String name;
    final Owner owner;
    private final ScriptWorld world;
    private final Map<Long, ArrayDeque<WalRequest>> links = new TreeMap<>();
    private final SessionRenewer renewer;
    private @Nullable RegionLeader leader;
    private LeaderPhase told = LeaderPhase.OPENING;
    private long toldCommit;
    private long appliedTerm;
    private long sleptNanos;
    private String toldChange = "";

    /** Nothing of the process runs: no timers, no answers are taken. */
    boolean asleep;

    /** The leader's thread is stuck, that of the renewals is not. */
    boolean stuck;

    ScriptStore(ScriptWorld world, String name, long storeId, long incarnation) {
        this.world = world;
        this.name = name;
        this.owner = Owner.newBuilder().setStoreId(storeId).setIncarnation(incarnation).build();
        this.renewer =
                new SessionRenewer(
                        OPTIONS,
                        LeaderRules.RIGHT,
                        owner,
                        this::send,
                        (walId, region, term) -> {
                            if (!stuck) {
                                leader().onPending(walId, term, now());
                            }
                        });
        world.nodes().forEach(node -> connect(node.walId));
    }

    Clock.Reading now() {
        Clock.Reading now = world.clock.read();
        return new Clock.Reading(now.monotonicNanos() - sleptNanos, now.wallMillis());
    }

    /** The machine's monotonic clock has not seen the last while, its wall clock has. */
    void slept(long millis) {
        sleptNanos += millis * 1_000_000L;
    }

    RegionLeader leader() {
        RegionLeader present = leader;
        if (present == null) {
            throw new AssertionError(name + " leads nothing");
        }
        return present;
    }

    boolean leads() {
        return leader != null;
    }

    private void send(long walId, WalRequest request) {
        ArrayDeque<WalRequest> link = links.get(walId);
        if (link != null) {
            link.add(request);
        }
    }

    void lead(long term, VoterConfig known, boolean origin) {
        RegionLeader fresh =
                new RegionLeader(
                        OPTIONS,
                        LeaderRules.RIGHT,
                        ScriptNode.REGION,
                        term,
                        owner,
                        known,
                        origin ? ScriptNode.BOOTSTRAP : null,
                        renewer,
                        this::send);
        leader = fresh;
        world.issued(term, owner);
        told = LeaderPhase.OPENING;
        toldCommit = 0;
        for (long walId : links.keySet()) {
            fresh.onConnected(walId, now());
        }
        fresh.start(now());
    }

    void connect(long walId) {
        if (!links.containsKey(walId)) {
            links.put(walId, new ArrayDeque<>());
            renewer.onConnected(walId, now());
            if (leader != null) {
                leader.onConnected(walId, now());
            }
        }
    }

    void disconnect(long walId) {
        if (links.remove(walId) != null) {
            renewer.onDisconnected(walId, now());
            if (leader != null) {
                leader.onDisconnected(walId, now());
            }
        }
    }

    /** What waits for a node, once. */
    List<WalRequest> outgoing(long walId) {
        ArrayDeque<WalRequest> link = links.get(walId);
        if (link == null || asleep) {
            return List.of();
        }
        List<WalRequest> waiting = new ArrayList<>();
        for (WalRequest request : List.copyOf(link)) {
            if (request.hasRenew() || !stuck) {
                waiting.add(request);
                link.remove(request);
            }
        }
        return waiting;
    }

    void take(long walId, WalResponse response) {
        if (response.getRegionId() == 0) {
            renewer.onResponse(walId, response, now());
        } else if (leader != null && !stuck) {
            leader.onResponse(walId, response, now());
        }
    }

    void tick() {
        if (asleep) {
            return;
        }
        renewer.tick(now());
        if (leader != null && !stuck) {
            leader.tick(now());
        }
    }

    void pump() {
        if (leader != null && !asleep && !stuck) {
            leader.pump(now());
        }
    }

    String write(String text) {
        try {
            return "at " + leader().propose(EntryKind.WRITE, ByteString.copyFromUtf8(text));
        } catch (ProposalRefused e) {
            return "refused: " + e.reason();
        }
    }

    String read() {
        if (leader().leaseValid(now())) {
            return "under the lease";
        }
        try {
            long token = leader().requestConfirm(now());
            return "waits for what is sent from " + (token & SEQ_MASK) + " on";
        } catch (ProposalRefused e) {
            return "refused: " + e.reason();
        }
    }

    /** Whether a majority has answered what was sent after the read that got this number. */
    String confirmed(long number) {
        long token = (leader().term() << 40) | number;
        return leader().confirmed(token) ? "yes" : "not yet";
    }

    /** As if a record had been put and its ManifestCommit applied. */
    void publish() {
        long index = leader().takenIndex();
        leader().moveSnapshot(
                        Snapshot.newBuilder()
                                .setIndex(index)
                                .setTerm(appliedTerm)
                                .setRecord(ObjectRef.newBuilder().setKey("record-" + index))
                                .build());
    }

    /** What has changed since the last time. */
    void tell() {
        RegionLeader present = leader;
        if (present == null || asleep || stuck) {
            return;
        }
        if (present.phase() != told) {
            told = present.phase();
            String why = present.reason().isEmpty() ? "" : ": " + present.reason();
            world.say(name + " is " + told + why);
        }
        if (told != LeaderPhase.OPENING && present.commitIndex() != toldCommit) {
            toldCommit = present.commitIndex();
            world.say(name + " knows " + toldCommit + " committed");
        }
        for (Entry entry : present.takeCommitted()) {
            appliedTerm = entry.getTerm();
        }
        VoterChange change = present.voterChange();
        String line =
                change == null
                        ? ""
                        : name
                                + " changes voters to "
                                + Telling.config(change.getTarget())
                                + ": "
                                + change.getState()
                                + (change.getError().isEmpty() ? "" : ", " + change.getError());
        if (!line.equals(toldChange) && !line.isEmpty()) {
            world.say(line);
        }
        toldChange = line;
    }

    String show() {
        RegionLeader present = leader;
        return present == null
                ? name + "  leads nothing"
                : name
                        + "  term "
                        + present.term()
                        + " "
                        + present.phase()
                        + " | last "
                        + present.lastIndex()
                        + " | commit "
                        + present.commitIndex()
                        + (present.configInForce().getGeneration() > 1
                                ? " | voters " + Telling.config(present.configInForce())
                                : "")
                        + (present.leaseValid(now()) ? " | lease" : "");
    }
}
