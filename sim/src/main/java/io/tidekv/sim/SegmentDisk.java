package io.tidekv.sim;

import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.NodeStorage;
import io.tidekv.wal.storage.RepairBounds;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageDamageException;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * The real segments over files that lose, in a crash, any sectors that were not synced. Beside them
 * runs a list of the records: after every recovery the segments must hold what some prefix of it
 * says, and no less than what was synced.
 */
final class SegmentDisk implements SimDisk, VoterStorage {
    /** The power goes in the middle of a call to the file system. */
    private static final class PowerLoss extends RuntimeException {
        private static final long serialVersionUID = 1L;

        PowerLoss() {
            super("power loss", null, false, false);
        }
    }

    private static final int HEADER_BYTES = 512;

    private record Content(VoterMeta meta, List<Entry> entries) {}

    private final Sim sim;
    private final LogWatch watch;
    private final Randomness random;
    private final UUID node;
    private final StorageOptions options;
    private MemoryVoterStorage records = new MemoryVoterStorage();
    private MemoryWalFiles files = new MemoryWalFiles();
    private SegmentStore segments;
    private final boolean countsAtOnce;
    private final Set<Long> lacking = new TreeSet<>();
    private boolean full;

    /** {@code countsAtOnce}: a bug; what was repaired does not say that it was. */
    SegmentDisk(Sim sim, LogWatch watch, boolean countsAtOnce) {
        this.countsAtOnce = countsAtOnce;
        this.sim = sim;
        this.watch = watch;
        this.random = sim.random().child();
        this.node = random.nextUuid();
        int segmentBytes = 4096 + random.nextInt(30_000);
        // In some seeds most batches are large ones, in others hardly any.
        this.options = new StorageOptions(segmentBytes, 2000, 512 + segmentBytes % 8000);
        this.segments = open();
    }

    private SegmentStore open() {
        try {
            return SegmentStore.open(files, node, options);
        } catch (IOException e) {
            throw new SimFailure("the segments do not open: " + e);
        }
    }

    @Override
    public VoterStorage storage() {
        return this;
    }

    @Override
    public void full(boolean now) {
        full = now;
        resize();
    }

    private void resize() {
        long used = (1L << 40) - filesUsable();
        files.setCapacity(full ? used : 1L << 40);
    }

    private long filesUsable() {
        files.setCapacity(1L << 40);
        return files.usableBytes();
    }

    @Override
    public void failNext() {
        int[] left = {random.nextInt(3)};
        files.setFault(
                (call, name) -> {
                    boolean writes =
                            call == MemoryWalFiles.Call.WRITE || call == MemoryWalFiles.Call.SYNC;
                    if (writes && left[0]-- == 0) {
                        throw new IOException("EIO");
                    }
                });
    }

    @Override
    public long position() {
        return records.position();
    }

    @Override
    public boolean dirty() {
        return records.dirty();
    }

    @Override
    public boolean syncTo(long position) {
        try {
            segments.commit();
            records.syncTo(records.position());
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void maintain() {
        try {
            segments.maintain(1 + random.nextInt(4000));
            if (!segments.isMarked() && random.chance(0.3)) {
                segments.mark();
            }
        } catch (IOException e) {
            sim.mark("segments: maintenance failed");
        }
    }

    @Override
    public void crash() {
        if (random.chance(0.7)) {
            loseAtCall(random.nextInt(4));
        }
        MemoryWalFiles.Crash[] kinds = MemoryWalFiles.Crash.values();
        boolean open = false;
        while (!open) {
            files = files.crashed(kinds[random.nextInt(kinds.length)], random);
            open = openInterrupted();
        }
        resize();
        settle("a crash");
    }

    /** The power goes while a batch is written, or while segments come and go. */
    private void loseAtCall(int calls) {
        powerLossAfter(calls);
        try {
            segments.commit();
            segments.maintain(1 << 20);
        } catch (PowerLoss | IOException e) {
            sim.mark("segments: power lost in a call");
        }
        files.setFault((call, name) -> {});
    }

    private boolean openInterrupted() {
        powerLossAfter(random.chance(0.2) ? random.nextInt(12) : Integer.MAX_VALUE);
        try {
            segments = open();
            return true;
        } catch (PowerLoss e) {
            sim.mark("segments: power lost in a recovery");
            return false;
        } finally {
            files.setFault((call, name) -> {});
        }
    }

    private void powerLossAfter(int calls) {
        int[] left = {calls};
        files.setFault(
                (call, name) -> {
                    if (left[0]-- == 0) {
                        throw new PowerLoss();
                    }
                });
    }

    @Override
    public void rot(RepairBounds.Source pd) {
        NodeStorage storage = new NodeStorage(files, node, options, pd);
        files.setCapacity(1L << 40);
        files.setFault((call, name) -> {});
        try {
            // What no mark vouches for cannot be told from what was never finished.
            segments.mark();
            segments.close();
            boolean changed = changeByte();
            segments = verified(storage);
            boolean repaired = files.list().stream().anyMatch(name -> name.endsWith(".damaged"));
            if (changed && repaired) {
                sim.mark("segments: damage found at a start");
                forgetDamaged();
                adopt();
            } else {
                settle("a changed byte that matters to nobody");
            }
        } catch (IOException e) {
            throw new SimFailure("the segments cannot be repaired: " + e);
        } finally {
            resize();
        }
    }

    private boolean changeByte() throws IOException {
        List<String> names = new ArrayList<>(files.list());
        names.removeIf(name -> !name.endsWith(".wal") || files.sizeOf(name) <= HEADER_BYTES);
        if (names.isEmpty()) {
            return false;
        }
        String name = names.get(random.nextInt(names.size()));
        int behind = (int) files.sizeOf(name) - HEADER_BYTES;
        files.rot(name, HEADER_BYTES + random.nextInt(behind));
        return true;
    }

    /** Reads everything, as a node does in the background. */
    private SegmentStore verified(NodeStorage storage) throws IOException {
        SegmentStore store = storage.open();
        try {
            boolean more = true;
            while (more) {
                more = store.verify(1 << 20);
            }
            return store;
        } catch (StorageDamageException e) {
            return storage.reopen(store);
        }
    }

    /** Somebody has looked at them. */
    private void forgetDamaged() throws IOException {
        for (String name : files.list()) {
            if (name.endsWith(".damaged")) {
                files.delete(name);
            }
        }
        files.syncFolder();
    }

    /** From now on the disk holds what the repair has left of it. */
    private void adopt() throws IOException {
        Map<Long, Content> before = durable();
        if (countsAtOnce) {
            for (Recovered region : segments.recover()) {
                segments.putMeta(
                        region.regionId(), region.meta().toBuilder().setLearner(false).build());
            }
            segments.commit();
        }
        records = new MemoryVoterStorage();
        content()
                .forEach(
                        (region, content) -> {
                            records.reset(region, content.meta());
                            watch.owned(region, content.meta());
                            if (!content.entries().isEmpty()) {
                                records.append(region, content.entries());
                            }
                            if (content.meta().getLearner()) {
                                lacking.add(region);
                                sim.mark("segments: a region has to catch up");
                            } else {
                                SimFailure.check(
                                        countsAtOnce || content.equals(before.get(region)),
                                        "region %d is not what it was, and does not say so",
                                        region);
                            }
                        });
        records.syncTo(records.position());
    }

    @Override
    public boolean lacks(long regionId) {
        if (!lacking.contains(regionId)) {
            return false;
        }
        VoterMeta meta = records.durableMeta(regionId);
        if (meta.getLearner()) {
            return true;
        }
        lacking.remove(regionId);
        sim.mark("segments: repaired from other voters");
        return false;
    }

    @Override
    public long forgottenBelow() {
        return segments.forgottenBelow();
    }

    @Override
    public void wipe() {
        records = new MemoryVoterStorage();
        files = new MemoryWalFiles();
        segments = open();
        resize();
    }

    @Override
    public void reopen() {
        files.setFault((call, name) -> {});
        try {
            segments = segments.reopen();
        } catch (IOException e) {
            throw new SimFailure("the segments do not open again: " + e);
        }
        settle("a failure");
    }

    /** Finds how many records have survived; they must be a prefix, and all that was synced. */
    private void settle(String what) {
        Map<Long, Content> found = content();
        int unsynced = records.unsyncedRecords();
        for (int kept = 0; kept <= unsynced; kept++) {
            if (kept > 0) {
                records.syncTo(records.position() - unsynced + kept);
            }
            if (found.equals(durable())) {
                sim.mark(
                        kept == 0 ? "segments: recovered" : "segments: recovered unsynced records");
                records.crash(0, false);
                return;
            }
        }
        throw new SimFailure("after " + what + " the segments hold what was never written so");
    }

    private Map<Long, Content> content() {
        Map<Long, Content> content = new TreeMap<>();
        for (Recovered region : segments.recover()) {
            List<Entry> entries = new ArrayList<>();
            long base = region.meta().getSnapshot().getIndex();
            if (region.lastIndex() > base) {
                entries =
                        segments.read(
                                region.regionId(), base + 1, region.lastIndex(), Long.MAX_VALUE);
            }
            content.put(region.regionId(), new Content(region.meta(), entries));
        }
        return content;
    }

    private Map<Long, Content> durable() {
        Map<Long, Content> content = new TreeMap<>();
        for (long region : records.durableRegions()) {
            content.put(
                    region,
                    new Content(
                            records.durableMeta(region),
                            List.copyOf(records.durableEntries(region))));
        }
        return content;
    }

    @Override
    public boolean holds(long regionId, long index, long term) {
        return Durable.holds(records, regionId, index, term);
    }

    @Override
    public List<Entry> durableEntries(long regionId) {
        return records.durableEntries(regionId);
    }

    // ---- as the voters see it

    @Override
    public List<Recovered> recover() {
        return segments.recover();
    }

    @Override
    public void putMeta(long regionId, VoterMeta meta) {
        segments.putMeta(regionId, meta);
        records.putMeta(regionId, meta);
        watch.owned(regionId, meta);
    }

    @Override
    public void reset(long regionId, VoterMeta meta) {
        segments.reset(regionId, meta);
        records.reset(regionId, meta);
    }

    @Override
    public void append(long regionId, List<Entry> entries) {
        segments.append(regionId, entries);
        long before = entries.get(0).getIndex() - 1;
        watch.appended(regionId, records.currentTerm(regionId, before), entries);
        // One by one: a crash may keep any prefix of them.
        entries.forEach(entry -> records.append(regionId, List.of(entry)));
    }

    @Override
    public List<Entry> read(long regionId, long fromIndex, long toIndex, long bytesMax) {
        List<Entry> read = segments.read(regionId, fromIndex, toIndex, bytesMax);
        SimFailure.check(
                read.equals(records.read(regionId, fromIndex, toIndex, bytesMax)),
                "the segments give other entries than were written");
        return read;
    }
}
