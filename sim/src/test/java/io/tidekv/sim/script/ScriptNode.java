package io.tidekv.sim.script;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.Relearning;
import io.tidekv.wal.core.VoterNode;
import io.tidekv.wal.core.VoterRules;
import io.tidekv.wal.core.VoterView;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A WAL node of a script: a real voter over a storage that loses what was not synced. */
final class ScriptNode {
    static final long REGION = 7;
    static final Origin BOOTSTRAP =
            Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();

    final long walId;
    private final ScriptWorld world;
    private MemoryVoterStorage storage = new MemoryVoterStorage();
    private @Nullable VoterNode voters;
    private long life;

    ScriptNode(ScriptWorld world, long walId) {
        this.world = world;
        this.walId = walId;
        start();
    }

    String name() {
        return "n" + walId;
    }

    boolean isUp() {
        return voters != null;
    }

    void start() {
        life++;
        voters = new VoterNode(storage, VoterRules.RIGHT, walId * 1000 + life * 100, now());
    }

    /** The process is killed: what was not synced is gone, and so is all memory. */
    void crash() {
        storage.crash(0, false);
        voters = null;
    }

    /**
     * The node, which is down, has found damage: its log ends before an entry, it has forgotten
     * later terms, and takes the highest that PD has issued.
     */
    void damaged(long fromIndex, long term, Owner owner) {
        VoterMeta meta = storage.durableMeta(REGION);
        List<Entry> kept = new ArrayList<>(storage.durableEntries(REGION));
        kept.removeIf(entry -> entry.getIndex() >= fromIndex);
        VoterMeta past =
                meta.toBuilder()
                        .setTerm(kept.isEmpty() ? 0 : kept.get(kept.size() - 1).getTerm())
                        .clearOwner()
                        .clearPendingTerm()
                        .build();
        storage = new MemoryVoterStorage();
        storage.putMeta(REGION, Relearning.forgetful(past, term, owner));
        if (!kept.isEmpty()) {
            storage.append(REGION, kept);
        }
        storage.syncTo(storage.position());
    }

    private Clock.Reading now() {
        return world.clock.read();
    }

    /** Handles requests as one round: one sync, then the answers. */
    List<WalResponse> handle(Owner sender, List<WalRequest> requests, boolean sync) {
        List<WalResponse> responses = new ArrayList<>();
        VoterNode running = voters;
        if (running == null) {
            return responses;
        }
        for (WalRequest request : requests) {
            responses.add(running.handle(sender, request, now()));
        }
        if (!sync) {
            return List.of();
        }
        storage.syncTo(storage.position());
        return responses;
    }

    /** Writes a log by hand, as earlier leaders have left it. */
    void given(long term, List<Long> terms, VoterConfig config) {
        List<Entry> entries = new ArrayList<>();
        for (long each : terms) {
            entries.add(
                    Entry.newBuilder()
                            .setIndex(entries.size() + 1)
                            .setTerm(each)
                            .setKind(EntryKind.NOOP)
                            .build());
        }
        storage = new MemoryVoterStorage();
        storage.putMeta(
                REGION,
                VoterMeta.newBuilder()
                        .setTerm(term)
                        .setOwner(Owner.newBuilder().setStoreId(99).setIncarnation(99))
                        .setConfig(config)
                        .setOrigin(BOOTSTRAP)
                        .setReleased(true)
                        .build());
        if (!entries.isEmpty()) {
            storage.append(REGION, entries);
        }
        storage.syncTo(storage.position());
        start();
    }

    /** One line: term, owner, log and what is known of it. */
    String show() {
        VoterNode running = voters;
        if (running == null) {
            return name() + "  down";
        }
        VoterView view = running.view(REGION);
        if (view == null) {
            return name() + "  has nothing of the region";
        }
        StringBuilder line = new StringBuilder(name() + "  term " + view.term());
        line.append(" of ").append(world.nameOf(view.owner()));
        if (view.pendingTerm() > 0) {
            line.append(", ").append(view.pendingTerm()).append(" waits");
        }
        if (view.released()) {
            line.append(", released");
        }
        line.append(" | log ").append(log(view)).append(" | commit ").append(view.commitIndex());
        if (view.config().getGeneration() > 1) {
            line.append(" | voters ").append(Telling.config(view.config()));
        }
        return line.append(view.learner() ? " | learner" : "").toString();
    }

    private String log(VoterView view) {
        StringBuilder log = new StringBuilder();
        if (view.snapshot().getIndex() > 0) {
            log.append("snapshot ").append(view.snapshot().getIndex()).append(" then ");
        }
        log.append('[');
        String gap = "";
        long base = view.snapshot().getIndex();
        for (Entry entry :
                view.lastIndex() == base
                        ? List.<Entry>of()
                        : storage.read(REGION, base + 1, view.lastIndex(), Long.MAX_VALUE)) {
            log.append(gap).append(Telling.entry(entry));
            gap = " ";
        }
        return log.append(']').toString();
    }
}
