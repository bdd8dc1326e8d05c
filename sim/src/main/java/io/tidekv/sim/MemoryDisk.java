package io.tidekv.sim;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.MemoryVoterStorage;
import io.tidekv.wal.core.VoterStorage;
import io.tidekv.wal.core.VoterStorageException;
import java.util.List;

/** A disk that keeps records as such: quick, and without any doubt about what it holds. */
final class MemoryDisk implements SimDisk, VoterStorage {
    private final Sim sim;
    private MemoryVoterStorage records = new MemoryVoterStorage();
    private final LogWatch watch;
    private boolean full;
    private boolean failing;

    MemoryDisk(Sim sim, LogWatch watch) {
        this.sim = sim;
        this.watch = watch;
    }

    @Override
    public VoterStorage storage() {
        return this;
    }

    @Override
    public void full(boolean now) {
        full = now;
    }

    @Override
    public void failNext() {
        failing = true;
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
        records.syncTo(Math.min(position, records.position()));
        return true;
    }

    @Override
    public void maintain() {}

    @Override
    public void wipe() {
        records = new MemoryVoterStorage();
    }

    @Override
    public void crash() {
        int keep = sim.random().nextInt(records.unsyncedRecords() + 1);
        records.crash(keep, sim.random().chance(0.5));
        failing = false;
    }

    @Override
    public void reopen() {
        crash();
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
        long before = entries.get(0).getIndex() - 1;
        watch.appended(regionId, records.currentTerm(regionId, before), entries);
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
