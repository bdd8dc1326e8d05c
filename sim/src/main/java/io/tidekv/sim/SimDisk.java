package io.tidekv.sim;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.core.VoterStorageException;
import java.util.List;

/** The disk of a WAL node: loses in a crash what was not synced, can be full, can fail. */
final class SimDisk implements VoterStorage {
    private final MemoryVoterStorage records = new MemoryVoterStorage();
    private final LogWatch watch;
    private boolean full;
    private boolean failing;

    SimDisk(LogWatch watch) {
        this.watch = watch;
    }

    void full(boolean now) {
        full = now;
    }

    void failNext() {
        failing = true;
    }

    long position() {
        return records.position();
    }

    boolean dirty() {
        return records.dirty();
    }

    void syncTo(long position) {
        records.syncTo(Math.min(position, records.position()));
    }

    /** Loses any suffix of what was not synced. */
    void crash(Sim sim) {
        int keep = sim.random().nextInt(records.unsyncedRecords() + 1);
        records.crash(keep, sim.random().chance(0.5));
        failing = false;
    }

    /** Whether the entry would survive any crash: as an entry, or covered by the snapshot. */
    boolean holds(long regionId, long index, long term) {
        long base = records.durableMeta(regionId).getSnapshot().getIndex();
        if (index <= base) {
            return true;
        }
        List<Entry> entries = records.durableEntries(regionId);
        int at = (int) (index - base - 1);
        return at < entries.size() && entries.get(at).getTerm() == term;
    }

    List<Entry> durableEntries(long regionId) {
        return records.durableEntries(regionId);
    }

    @Override
    public List<Recovered> recover() {
        return records.recover();
    }

    @Override
    public void putMeta(long regionId, VoterMeta meta) {
        refuseIfSick();
        records.putMeta(regionId, meta);
        watch.owned(regionId, meta);
    }

    @Override
    public void reset(long regionId, VoterMeta meta) {
        refuseIfSick();
        records.reset(regionId, meta);
    }

    @Override
    public void append(long regionId, List<Entry> entries) {
        refuseIfSick();
        Entry first = entries.get(0);
        watch.appended(regionId, records.currentTerm(regionId, first.getIndex() - 1), entries);
        records.append(regionId, entries);
    }

    @Override
    public List<Entry> read(long regionId, long fromIndex, long toIndex, long bytesMax) {
        return records.read(regionId, fromIndex, toIndex, bytesMax);
    }

    private void refuseIfSick() {
        if (full) {
            throw VoterStorageException.full("the disk is full");
        }
        if (failing) {
            throw VoterStorageException.failed("the disk failed", new IllegalStateException("EIO"));
        }
    }
}
