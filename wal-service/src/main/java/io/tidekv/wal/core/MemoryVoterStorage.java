package io.tidekv.wal.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The twin of the segments in memory. It knows what was synced, so that a simulated crash can lose
 * the rest, or keep any prefix of it.
 */
public final class MemoryVoterStorage implements VoterStorage {
    private final Map<Long, MemoryLog> durable = new TreeMap<>();
    private final Map<Long, MemoryLog> current = new TreeMap<>();
    private final ArrayDeque<Change> unsynced = new ArrayDeque<>();
    private long appended;
    private long synced;

    /** A record. Exactly one of meta and entries is there. */
    private sealed interface Change {}

    private record MetaChange(long regionId, VoterMeta meta, boolean reset) implements Change {}

    private record EntriesChange(long regionId, List<Entry> entries) implements Change {}

    /** Number of records appended so far: a position for {@link #syncTo}. */
    public long position() {
        return appended;
    }

    /** Whether records wait for a sync. */
    public boolean dirty() {
        return synced < appended;
    }

    /** Makes the records up to {@code position} durable. */
    public void syncTo(long position) {
        Invariants.check(position <= appended, "sync past the end");
        while (synced < position) {
            apply(durable, unsynced.removeFirst());
            synced++;
        }
    }

    /** As a crash that keeps {@code records} unsynced ones, cutting the last one if it can. */
    public void crash(int records, boolean tear) {
        syncTo(Math.min(appended, synced + records));
        if (tear && unsynced.peekFirst() instanceof EntriesChange entries) {
            int half = entries.entries().size() / 2;
            if (half > 0) {
                apply(
                        durable,
                        new EntriesChange(entries.regionId(), entries.entries().subList(0, half)));
            }
        }
        unsynced.clear();
        appended = synced;
        current.clear();
        durable.forEach((region, log) -> current.put(region, log.copy()));
    }

    /** Number of records that a crash may lose. */
    public int unsyncedRecords() {
        return unsynced.size();
    }

    /** The regions that the worst crash would leave. */
    public Set<Long> durableRegions() {
        return Collections.unmodifiableSet(durable.keySet());
    }

    /** What would be left of the region after the worst crash now. */
    public List<Entry> durableEntries(long regionId) {
        MemoryLog log = durable.get(regionId);
        return log == null ? List.of() : log.entries();
    }

    /** The region's meta after the worst crash now; the default when there is none. */
    public VoterMeta durableMeta(long regionId) {
        MemoryLog log = durable.get(regionId);
        return log == null ? VoterMeta.getDefaultInstance() : log.meta();
    }

    /** Term of an entry, synced or not, or of the snapshot; -1 when neither is there. */
    public long currentTerm(long regionId, long index) {
        MemoryLog log = current.get(regionId);
        return log == null ? -1 : log.termAt(index);
    }

    @Override
    public List<Recovered> recover() {
        List<Recovered> regions = new ArrayList<>();
        current.forEach((region, log) -> regions.add(log.recovered(region)));
        return regions;
    }

    @Override
    public void putMeta(long regionId, VoterMeta meta) {
        record(new MetaChange(regionId, meta, false));
    }

    @Override
    public void reset(long regionId, VoterMeta meta) {
        record(new MetaChange(regionId, meta, true));
    }

    @Override
    public void append(long regionId, List<Entry> entries) {
        Invariants.check(!entries.isEmpty(), "an append of nothing");
        record(new EntriesChange(regionId, List.copyOf(entries)));
    }

    @Override
    public List<Entry> read(long regionId, long fromIndex, long toIndex, long bytesMax) {
        return log(current, regionId).read(fromIndex, toIndex, bytesMax);
    }

    private void record(Change change) {
        apply(current, change);
        unsynced.addLast(change);
        appended++;
    }

    private static void apply(Map<Long, MemoryLog> to, Change change) {
        if (change instanceof MetaChange meta) {
            to.computeIfAbsent(meta.regionId(), region -> new MemoryLog())
                    .put(meta.meta(), meta.reset());
        } else if (change instanceof EntriesChange entries) {
            log(to, entries.regionId()).append(entries.entries());
        }
    }

    private static MemoryLog log(Map<Long, MemoryLog> of, long regionId) {
        return Invariants.present(of.get(regionId), "region " + regionId);
    }
}
