package io.tidekv.wal.storage;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.VoterStorage.Recovered;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** A fixed run of operations on a store, beside a model that says what it must hold. */
final class StoreScript {
    static final UUID NODE = new UUID(7, 8);

    /** Some of the batches are large ones. */
    static final StorageOptions OPTIONS = new StorageOptions(8192, 0, 2048);

    /** A region as the model and the store tell it. */
    record Region(VoterMeta meta, List<Entry> entries) {}

    private interface Step {
        void run(SegmentStore store) throws IOException;
    }

    private final Map<Long, Region> model = new TreeMap<>();
    private final List<Step> steps = new ArrayList<>();
    private final List<Map<Long, Region>> states = new ArrayList<>();
    // Of each step: the state that is certainly durable once it has returned.
    private final List<Integer> durable = new ArrayList<>();
    private final Randomness randomness;

    /** About {@code count} operations on five regions, one of which goes idle at once. */
    StoreScript(long seed, int count) {
        randomness = Randomness.seeded(seed);
        states.add(Map.of());
        putMeta(9, 0);
        append(9, 1, 1);
        for (long region = 1; region <= 4; region++) {
            putMeta(region, 0);
        }
        commit();
        while (steps.size() < count) {
            random();
        }
        commit();
    }

    private void random() {
        long region = 1 + randomness.nextInt(4);
        long snapshot = model.get(region).meta.getSnapshot().getIndex();
        long last = snapshot + model.get(region).entries.size();
        switch (randomness.nextInt(10)) {
            case 0 -> putMeta(region, randomness.nextLong(snapshot, last + 1));
            case 1 -> reset(region, randomness.nextLong(snapshot, last + 5));
            case 2 -> append(region, randomness.nextLong(snapshot + 1, last + 2), 3);
            case 3 -> mark();
            case 4, 5 -> commit();
            default -> append(region, last + 1, 1 + randomness.nextInt(3));
        }
    }

    private void step(Step step, int stateDurable) {
        steps.add(step);
        durable.add(stateDurable);
    }

    private int durableNow() {
        return durable.isEmpty() ? 0 : durable.get(durable.size() - 1);
    }

    private void changed(long region, VoterMeta meta, List<Entry> entries, Step step) {
        model.put(region, new Region(meta, List.copyOf(entries)));
        states.add(new TreeMap<>(model));
        step(step, durableNow());
    }

    private VoterMeta meta(long snapshot) {
        Snapshot.Builder at = Snapshot.newBuilder().setIndex(snapshot).setTerm(1);
        return VoterMeta.newBuilder().setTerm(randomness.nextInt(50)).setSnapshot(at).build();
    }

    private void putMeta(long region, long snapshot) {
        VoterMeta meta = meta(snapshot);
        List<Entry> kept = new ArrayList<>();
        if (model.containsKey(region)) {
            kept.addAll(model.get(region).entries);
            kept.removeIf(entry -> entry.getIndex() <= snapshot);
        }
        changed(region, meta, kept, store -> store.putMeta(region, meta));
    }

    private void reset(long region, long snapshot) {
        VoterMeta meta = meta(snapshot);
        changed(region, meta, List.of(), store -> store.reset(region, meta));
    }

    private void append(long region, long from, int count) {
        Region before = model.get(region);
        List<Entry> added = new ArrayList<>();
        for (long index = from; index < from + count; index++) {
            byte[] data = new byte[randomness.nextInt(700)];
            randomness.nextBytes(data);
            added.add(
                    Entry.newBuilder()
                            .setIndex(index)
                            .setTerm(randomness.nextInt(9))
                            .setKind(EntryKind.WRITE)
                            .setData(ByteString.copyFrom(data))
                            .build());
        }
        List<Entry> all = new ArrayList<>(before.entries);
        all.removeIf(entry -> entry.getIndex() >= from);
        all.addAll(added);
        changed(region, before.meta, all, store -> store.append(region, added));
    }

    private void commit() {
        boolean before = randomness.chance(0.3);
        step(
                store -> {
                    if (before) {
                        store.maintain(1000);
                    }
                    store.commit();
                    store.maintain(1000);
                },
                states.size() - 1);
    }

    private void mark() {
        step(SegmentStore::mark, durableNow());
    }

    /** Runs all steps; {@code done} is told how many have returned, even when one throws. */
    void run(SegmentStore store, int[] done) throws IOException {
        for (Step step : steps) {
            step.run(store);
            done[0]++;
        }
    }

    /** The least state that may be found when {@code done} steps have returned. */
    int durableAfter(int done) {
        return done == 0 ? 0 : durable.get(done - 1);
    }

    List<Map<Long, Region>> states() {
        return states;
    }

    static Map<Long, Region> read(SegmentStore store) {
        Map<Long, Region> found = new TreeMap<>();
        for (Recovered region : store.recover()) {
            long first = region.meta().getSnapshot().getIndex() + 1;
            List<Entry> entries =
                    region.lastIndex() < first
                            ? List.of()
                            : store.read(
                                    region.regionId(), first, region.lastIndex(), Long.MAX_VALUE);
            found.put(region.regionId(), new Region(region.meta(), entries));
        }
        return found;
    }
}
