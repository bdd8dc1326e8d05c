package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.history.Fate;
import io.tidekv.common.history.SeenTxn;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.sim.Sim;
import io.tidekv.sim.txn.SimTxn.End;
import io.tidekv.sim.txn.SimTxn.Mode;
import io.tidekv.sim.txn.Verdicts.Stored;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * One run: clients whose transactions fight for a few keys while regions move and split, stores
 * die, messages are lost and late, and clients die between any two steps. Then the faults end, all
 * orphans are resolved, and everything that anybody was told must fit together.
 */
public final class TxnSimulation {
    private static final List<Mode> MODES = List.of(Mode.values());
    private static final int CLIENTS = 4;
    private static final int TXNS_EACH = 12;
    private static final long RUN_MS = 60_000;
    private static final long STEP_MS = 500;
    private static final int ROUNDS = 50;
    private static final int BACKUPS = 12;
    private static final long BACKUPS_MS = 1_000;
    private static final long THINK_MS = 80;

    private final Sim sim;
    private final TxnWorld world;
    private final TxnNet net;
    private final Resolver resolver;
    private final Workload workload;
    private final List<SeenTxn> told = new ArrayList<>();
    private final List<TxnBackup> backups = new ArrayList<>();
    private long nextId = 1;
    private int busy;

    /** What a run came to. Equal seeds give equal outcomes. */
    public record Outcome(
            long seed,
            long hash,
            long events,
            int transactions,
            int committed,
            Map<String, Long> marks) {}

    private TxnSimulation(long seed, TxnPlant plant) {
        sim = new Sim(seed, false);
        world = new TxnWorld(sim, plant);
        net = new TxnNet(world);
        resolver = new Resolver(world, net);
        workload = List.of(Workload.values()).get(Math.floorMod(seed, Workload.values().length));
    }

    /**
     * Runs a seed.
     *
     * @throws AssertionError naming the seed, when a promise is broken
     */
    public static Outcome run(long seed) {
        return run(seed, TxnPlant.NONE);
    }

    static Outcome run(long seed, TxnPlant plant) {
        return new TxnSimulation(seed, plant).toItsEnd(seed);
    }

    /** As {@link #run(long)}, with backups made meanwhile, which are judged, too. */
    static Outcome runWithBackups(long seed, TxnBackup.Plant plant) {
        TxnSimulation run = new TxnSimulation(seed, TxnPlant.NONE);
        run.world.divide();
        for (int i = 0; i < BACKUPS; i++) {
            run.backups.add(new TxnBackup(run.world, plant));
        }
        return run.toItsEnd(seed);
    }

    private Outcome toItsEnd(long seed) {
        live();
        comeToRest();
        if (!world.failures().isEmpty()) {
            throw new AssertionError("seed " + seed, world.failures().get(0));
        }
        Map<String, Map<Long, Stored>> stored = stored();
        List<String> wrong = new Verdicts(workload, told, stored).judge();
        for (TxnBackup backup : backups) {
            if (backup.isDone()) {
                wrong.addAll(new BackupVerdicts(backup, told, stored).judge());
            }
        }
        if (!wrong.isEmpty()) {
            throw new AssertionError(
                    "seed "
                            + seed
                            + " ("
                            + workload
                            + "): "
                            + wrong.get(0)
                            + " and "
                            + (wrong.size() - 1)
                            + " more");
        }
        int committed = (int) told.stream().filter(txn -> txn.fate() == Fate.COMMITTED).count();
        return new Outcome(seed, sim.hash(), sim.events(), told.size(), committed, sim.marks());
    }

    private void live() {
        if (workload == Workload.BANK) {
            busy++;
            one(
                            Mode.TWO_PHASES,
                            txn -> {
                                for (int i = 0; i < TxnKeysIn.COUNT; i++) {
                                    txn.write("k" + i, Workload.DEPOSIT + "#" + txn.id());
                                }
                                return CompletableFuture.completedFuture(null);
                            })
                    .whenComplete((done, error) -> busy--);
            sim.runUntil(sim.nowNanos() + 3_000 * Sim.MS);
            if (busy != 0 || told.get(0).fate() != Fate.COMMITTED) {
                // Accounts without a deposit hold nothing that could be judged.
                told.clear();
                return;
            }
        }
        sim.after(random().nextLong(0, 200 * Sim.MS), "disturb", world::disturb);
        for (TxnBackup backup : backups) {
            sim.after(random().nextLong(0, BACKUPS_MS * Sim.MS), "backup", backup::begin);
        }
        for (int i = 0; i < CLIENTS; i++) {
            busy++;
            client(TXNS_EACH);
        }
        for (long ms = 0; ms < RUN_MS && busy > 0; ms += STEP_MS) {
            sim.runUntil(sim.nowNanos() + STEP_MS * Sim.MS);
        }
    }

    private void client(int left) {
        if (left == 0) {
            busy--;
            return;
        }
        Mode mode = MODES.get(random().nextInt(MODES.size()));
        one(mode, txn -> workload.body(txn, random()))
                .whenComplete(
                        (done, error) ->
                                sim.after(
                                        random().nextLong(0, 30 * Sim.MS),
                                        "next",
                                        () -> client(left - 1)));
    }

    private interface Body {
        CompletableFuture<Void> of(SimTxn txn);
    }

    /** Runs one transaction and notes what its client was told. Does not fail. */
    private CompletableFuture<Void> one(Mode mode, Body body) {
        SimTxn txn = new SimTxn(world, net, resolver, nextId++, mode);
        CompletableFuture<SeenTxn> seen =
                txn.begin()
                        .thenCompose(done -> body.of(txn))
                        .thenCompose(done -> think())
                        .thenCompose(done -> commit(txn));
        return seen.handle(
                (done, error) -> {
                    if (error != null) {
                        told.add(txn.seen(fate(error), 0));
                    }
                    return null;
                });
    }

    /** Beside backups: what was read may be old when something comes of it. */
    private CompletableFuture<Void> think() {
        CompletableFuture<Void> over = new CompletableFuture<>();
        if (backups.isEmpty() || random().chance(0.5)) {
            over.complete(null);
        } else {
            sim.after(random().nextLong(0, THINK_MS * Sim.MS), "think", () -> over.complete(null));
        }
        return over;
    }

    private CompletableFuture<SeenTxn> commit(SimTxn txn) {
        Committer committer = new Committer(world, net, resolver, txn);
        return committer
                .run()
                .thenApply(
                        ts -> {
                            SeenTxn seen = txn.seen(Fate.COMMITTED, ts);
                            told.add(seen);
                            if (ts != 0) {
                                committer.finish(ts).exceptionally(died -> null);
                            }
                            return seen;
                        });
    }

    private static Fate fate(Throwable error) {
        Throwable cause =
                error instanceof CompletionException && error.getCause() != null
                        ? error.getCause()
                        : error;
        if (cause instanceof End end) {
            return end.fate();
        }
        if (cause instanceof TxnNet.Lost) {
            return Fate.ABORTED;
        }
        throw cause instanceof AssertionError broken ? broken : new AssertionError(cause);
    }

    /** No more faults; every lock that is left is resolved as a later client would. */
    private void comeToRest() {
        world.heal();
        for (int round = 0; round < ROUNDS; round++) {
            sim.runUntil(sim.nowNanos() + 2_000 * Sim.MS);
            List<LockInfo> left = locks();
            if (left.isEmpty() && busy == 0) {
                return;
            }
            left.forEach(
                    lock -> resolver.resolve(lock, world.timestamp()).exceptionally(e -> null));
        }
        throw new AssertionError(busy + " clients hang, locks stay: " + locks().size());
    }

    private List<LockInfo> locks() {
        List<LockInfo> all = new ArrayList<>();
        try (KvSnapshot view = world.engine().snapshot(new byte[0], new byte[0]);
                KvIterator each = view.iterator(Cf.LOCK, null, null)) {
            for (each.seekToFirst(); each.isValid(); each.next()) {
                LockRecord lock = LockCodec.decode(each.value());
                ByteString key = TxnKey.ofEncoded(each.key()).raw();
                all.add(KeyErrors.lockInfo(key, lock));
            }
        }
        return all;
    }

    private Map<String, Map<Long, Stored>> stored() {
        try (KvSnapshot view = world.engine().snapshot(new byte[0], new byte[0])) {
            return stored(view);
        }
    }

    /** What was committed, by key and start timestamp. */
    static Map<String, Map<Long, Stored>> stored(KvSnapshot view) {
        Map<String, Map<Long, Stored>> all = new LinkedHashMap<>();
        try (KvIterator each = view.iterator(Cf.WRITE, null, null)) {
            for (each.seekToFirst(); each.isValid(); each.next()) {
                WriteRecord write = WriteCodec.decode(each.value());
                if (write.kind() != WriteKind.PUT || write.shortValue() == null) {
                    continue;
                }
                byte[] key = each.key();
                long commitTs = ~ByteBuffer.wrap(key).getLong(key.length - Long.BYTES);
                Stored was =
                        all.computeIfAbsent(
                                        TxnKey.ofVersioned(key).raw().toStringUtf8(),
                                        name -> new LinkedHashMap<>())
                                .put(
                                        write.startTs(),
                                        new Stored(
                                                commitTs,
                                                write.startTs(),
                                                write.shortValue().toStringUtf8()));
                if (was != null) {
                    throw new AssertionError("a transaction has committed a key twice");
                }
            }
        }
        return all;
    }

    private Randomness random() {
        return sim.random();
    }
}
