package io.tidekv.sim;

import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderPhase;
import io.tidekv.compute.region.core.ProposalRefused;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Snapshot;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** A region in a term at a store: a real leader, and the registers that follow its log. */
final class SimPeer {
    /** Answers of {@link #write} and {@link #read}. */
    static final long REFUSED = -1;

    static final long UNKNOWN = -2;

    private final SimStore store;
    private final Cluster cluster;
    private final RegionLeader leader;
    private final Map<Long, LongConsumer> writes = new TreeMap<>();
    private final ArrayDeque<Waiting> reads = new ArrayDeque<>();
    private @Nullable Registers registers;
    private boolean serving;
    private long published;

    private record Waiting(long token, int key, LongConsumer answer) {}

    SimPeer(SimStore store, Cluster cluster, RegionLeader leader) {
        this.store = store;
        this.cluster = cluster;
        this.leader = leader;
    }

    RegionLeader leader() {
        return leader;
    }

    boolean serving() {
        return serving;
    }

    /** Looks at what has become of the leader after an event. */
    void settle(Clock.Reading now) {
        LeaderPhase phase = leader.phase();
        if (phase == LeaderPhase.OPENING) {
            return;
        }
        if (phase != LeaderPhase.COMPLETING && leader.ownTermCommitted()) {
            cluster.golden(leader.regionId())
                    .counted(
                            leader.commitIndex(),
                            leader.term(),
                            leader.configInForce(),
                            leader.config(),
                            cluster.voters());
        }
        take();
        if (registers != null
                && phase == LeaderPhase.LEADING
                && registers.appliedIndex() == leader.commitIndex()) {
            serving = true;
        }
        leader.pump(now);
        answerReads();
        if (phase == LeaderPhase.FENCED
                || phase == LeaderPhase.RELEASED
                || phase == LeaderPhase.FAILED) {
            end();
        }
    }

    private void take() {
        Registers state = registers;
        if (state == null || state.appliedIndex() < leader.snapshot().getIndex()) {
            state = reopen();
        }
        for (Entry entry : leader.takeCommitted()) {
            cluster.golden(leader.regionId()).committed(entry);
            if (entry.getParts() > 0) {
                boolean whole = entry.getKind() != EntryKind.NOOP;
                store.sim.mark(whole ? "log: parts joined" : "log: parts of a lost owner dropped");
            }
            boolean moved = state.apply(entry);
            LongConsumer answer = writes.remove(entry.getIndex());
            if (answer != null) {
                answer.accept(entry.getTerm() == leader.term() ? entry.getIndex() : UNKNOWN);
            }
            if (moved) {
                store.sim.mark("snapshot: moved");
                moveSnapshot(state);
            }
        }
    }

    /** Begins with the newest record; later entries come from the log. */
    private Registers reopen() {
        store.sim.mark(registers == null ? "tablet: opened" : "tablet: opened at a newer record");
        Registers opened = Registers.open(leader.snapshot(), cluster.records());
        leader.rewind(leader.snapshot().getIndex());
        registers = opened;
        return opened;
    }

    private void moveSnapshot(Registers state) {
        Records.Published covered = cluster.records().get(state.record().getKey());
        leader.moveSnapshot(
                Snapshot.newBuilder()
                        .setIndex(covered.appliedIndex())
                        .setTerm(covered.appliedTerm())
                        .setRecord(state.record())
                        .build());
    }

    private void end() {
        drop();
        store.ended(this);
    }

    /** The leader is not used any more: what waits for it has an unknown fate. */
    void drop() {
        serving = false;
        writes.values().forEach(answer -> answer.accept(UNKNOWN));
        writes.clear();
        reads.forEach(read -> read.answer.accept(REFUSED));
        reads.clear();
    }

    /** Proposes; answers the index once applied, or why not. */
    void write(int key, long op, int padding, LongConsumer answer) {
        if (!serving) {
            answer.accept(REFUSED);
            return;
        }
        try {
            long index = leader.propose(EntryKind.WRITE, Registers.write(key, op, padding));
            writes.put(index, answer);
        } catch (ProposalRefused e) {
            store.sim.mark("write: " + e.reason());
            answer.accept(REFUSED);
        }
    }

    /** Reads under the lease, or after a confirmation; answers the write that was read. */
    void read(int key, boolean trustLease, Clock.Reading now, LongConsumer answer) {
        Registers state = registers;
        if (!serving || state == null) {
            answer.accept(REFUSED);
        } else if (trustLease && leader.leaseValid(now)) {
            store.sim.mark("read: under a lease");
            answer.accept(state.value(key));
        } else {
            try {
                reads.add(new Waiting(leader.requestConfirm(now), key, answer));
            } catch (ProposalRefused e) {
                answer.accept(REFUSED);
            }
        }
    }

    private void answerReads() {
        Registers state = registers;
        while (state != null && !reads.isEmpty() && leader.confirmed(reads.peek().token)) {
            Waiting read = reads.remove();
            store.sim.mark("read: confirmed");
            read.answer.accept(state.value(read.key));
        }
    }

    /** Writes a record and proposes it. */
    void publish() {
        Registers state = registers;
        if (!serving || state == null) {
            return;
        }
        published++;
        String key =
                String.format(
                        Locale.ROOT,
                        "record/%d/%d-%d-%d",
                        leader.regionId(),
                        leader.term(),
                        published,
                        store.owner().getIncarnation());
        ObjectRef record = ObjectRef.newBuilder().setKey(key).build();
        Records.Published content = state.published();
        cluster.records().put(record.getKey(), content);
        ManifestCommit commit =
                ManifestCommit.newBuilder()
                        .setRecord(record)
                        .setParent(state.record())
                        .setAppliedIndex(content.appliedIndex())
                        .setAppliedTerm(content.appliedTerm())
                        .build();
        try {
            leader.propose(EntryKind.MANIFEST_COMMIT, commit.toByteString());
        } catch (ProposalRefused e) {
            // Tried again some time.
        }
    }
}
