package io.tidekv.wal.archive;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.OpenResponse;
import io.tidekv.proto.wal.ReadRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** One region on three voters, and whoever leads it; remembers what was committed. */
final class LeaderScript {
    static final long REGION = 5;
    private static final int NODES = 3;
    private static final int MAJORITY = 2;

    final MemoryObjectStore store = new MemoryObjectStore();
    final List<ShippingRig> rigs = new ArrayList<>();
    private final ManualClock clock = new ManualClock();
    private final Randomness randomness;
    private final Faults faults;
    private final ObjectStore faulty;
    private final TreeMap<Long, Entry> committed = new TreeMap<>();

    // The leader's: nothing of it outlives the term.
    private long term;
    private Snapshot snapshot = Snapshot.getDefaultInstance();
    private TreeMap<Long, Entry> log = new TreeMap<>();
    private long[] matched = new long[NODES];
    private long commit;

    LeaderScript(long seed) throws IOException {
        randomness = Randomness.seeded(seed);
        faults = new Faults(randomness.child());
        faulty = new FaultyObjectStore(store, faults, Sleeper.real());
        for (int node = 1; node <= NODES; node++) {
            ShippingRig rig = new ShippingRig(node, faulty, clock, 1500);
            rig.create(REGION, List.of(1L, 2L, 3L));
            rig.commit();
            rigs.add(rig);
        }
        takeOver();
    }

    /** Entries 1 and up. */
    List<Entry> committed() {
        return List.copyOf(committed.values());
    }

    void run(int steps) throws IOException {
        for (Faults.Operation operation : Faults.Operation.values()) {
            faults.failAtRandom(operation, 0.1, 0.1);
        }
        for (int i = 0; i < steps; i++) {
            clock.advanceMillis(randomness.nextInt(30));
            step();
        }
        for (Faults.Operation operation : Faults.Operation.values()) {
            faults.failAtRandom(operation, 0, 0);
        }
        takeOver();
        for (int node = 0; node < NODES; node++) {
            replicate(node, last());
        }
        settle();
        for (int node = 0; node < NODES; node++) {
            replicate(node, last());
            rigs.get(node).shipAll();
        }
    }

    private void step() throws IOException {
        int node = randomness.nextInt(NODES);
        ShippingRig rig = rigs.get(node);
        switch (randomness.nextInt(20)) {
            case 0 -> takeOver();
            case 1 -> {
                rig.crash(randomness);
                matched[node] = Math.min(matched[node], snapshot.getIndex());
            }
            case 2 -> rig.restartShipper(faulty);
            case 3, 4 -> {
                rig.segments.seal();
                rig.commit();
            }
            case 5, 6, 7 -> ship(rig);
            case 8 -> moveSnapshot();
            case 9, 10, 11, 12, 13 -> propose();
            default -> {
                replicate(node, randomness.nextLong(snapshot.getIndex(), last() + 1));
                settle();
            }
        }
    }

    private void ship(ShippingRig rig) throws IOException {
        try {
            rig.ship(1 + randomness.nextInt(2));
        } catch (ObjectStoreException e) {
            if (e.kind() != ObjectStoreException.Kind.UNAVAILABLE) {
                throw e;
            }
        }
    }

    private long last() {
        return log.isEmpty() ? snapshot.getIndex() : log.lastKey();
    }

    private long termAt(long index) {
        return index == snapshot.getIndex() ? snapshot.getTerm() : log.get(index).getTerm();
    }

    private void propose() {
        for (int i = randomness.nextInt(4); i >= 0; i--) {
            byte[] data = new byte[randomness.nextInt(400)];
            randomness.nextBytes(data);
            long index = last() + 1;
            log.put(index, ShippingRig.entry(index, term, data));
        }
    }

    /** Opens on a majority, or on all, and goes on from the best log. */
    private void takeOver() throws IOException {
        term++;
        int silent = randomness.nextInt(NODES + 1);
        int best = -1;
        OpenResponse bestOpen = OpenResponse.getDefaultInstance();
        for (int node = 0; node < NODES; node++) {
            if (node != silent) {
                OpenResponse open = rigs.get(node).open(REGION, term).getOpen();
                rigs.get(node).commit();
                boolean better =
                        best < 0
                                || open.getLastTerm() > bestOpen.getLastTerm()
                                || (open.getLastTerm() == bestOpen.getLastTerm()
                                        && open.getLastIndex() > bestOpen.getLastIndex());
                if (better) {
                    best = node;
                    bestOpen = open;
                }
            }
        }
        snapshot = bestOpen.getSnapshot();
        log = new TreeMap<>();
        if (bestOpen.getLastIndex() > snapshot.getIndex()) {
            ReadRequest all =
                    ReadRequest.newBuilder()
                            .setFromIndex(snapshot.getIndex() + 1)
                            .setBytesMax(1 << 20)
                            .build();
            rigs.get(best)
                    .handle(
                            ShippingRig.owner(term),
                            WalRequest.newBuilder().setRegionId(REGION).setRead(all))
                    .getRead()
                    .getEntriesList()
                    .forEach(entry -> log.put(entry.getIndex(), entry));
        }
        matched = new long[NODES];
        commit = snapshot.getIndex();
        propose();
    }

    /** Sends one voter what it lacks, up to {@code to}; a late one is reset to the snapshot. */
    private void replicate(int node, long to) throws IOException {
        ShippingRig rig = rigs.get(node);
        List<Entry> entries = List.copyOf(log.headMap(to, true).values());
        long known = Math.min(commit, to);
        WalResponse response = append(rig, entries, known, false);
        if (response.hasAppend() && !response.getAppend().getMatched()) {
            response = append(rig, entries, known, true);
        }
        rig.commit();
        if (response.hasAppend() && response.getAppend().getMatched()) {
            matched[node] = Math.max(matched[node], to);
        } else {
            throw new AssertionError("refused: " + response);
        }
    }

    private WalResponse append(ShippingRig rig, List<Entry> entries, long known, boolean reset) {
        return rig.append(
                REGION,
                term,
                snapshot.getIndex(),
                snapshot.getTerm(),
                entries,
                known,
                snapshot,
                reset);
    }

    /** Counts what is on a majority, of the leader's own term. */
    private void settle() {
        for (long index = last(); index > commit; index--) {
            int holders = 0;
            for (long each : matched) {
                holders += each >= index ? 1 : 0;
            }
            if (holders >= MAJORITY && termAt(index) == term) {
                for (Entry entry : log.headMap(index, true).values()) {
                    Entry before = committed.put(entry.getIndex(), entry);
                    if (before != null && !before.equals(entry)) {
                        throw new AssertionError("committed twice: " + entry.getIndex());
                    }
                }
                commit = index;
            }
        }
    }

    private void moveSnapshot() {
        if (commit > snapshot.getIndex()) {
            long index = randomness.nextLong(snapshot.getIndex() + 1, commit + 1);
            Snapshot moved = snapshot.toBuilder().setIndex(index).setTerm(termAt(index)).build();
            log.headMap(index, true).clear();
            snapshot = moved;
        }
    }
}
