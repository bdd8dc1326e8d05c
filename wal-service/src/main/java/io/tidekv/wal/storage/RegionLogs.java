package io.tidekv.wal.storage;

import io.tidekv.wal.core.VoterStorage.Recovered;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The regions of a node by id, and how they follow from the records of the segments. */
final class RegionLogs implements SegmentScanner.Visitor {
    private final EntryIndex.Usage usage;
    private final Map<Long, RegionLog> regions = new TreeMap<>();

    RegionLogs(EntryIndex.Usage usage) {
        this.usage = usage;
    }

    /** All regions in ascending order; the map changes with this. */
    Map<Long, RegionLog> all() {
        return regions;
    }

    /** The region, made when it is new. */
    RegionLog of(long regionId) {
        return regions.computeIfAbsent(regionId, id -> new RegionLog(id, usage));
    }

    @Override
    public void visit(LogRecord record, long place, int size) {
        RegionLog region = of(record.regionId());
        if (record instanceof LogRecord.Meta meta) {
            if (meta.reset()) {
                region.entries.clear();
            }
            region.putMeta(meta.meta(), place, size);
        } else if (record instanceof LogRecord.Written entry) {
            if (!entry.moved()) {
                region.entries.truncateFrom(entry.index());
            }
            region.entries.put(entry.index(), place, size, entry.term());
        }
    }

    /** What the voters begin with. */
    List<Recovered> recovered() {
        List<Recovered> all = new ArrayList<>();
        for (RegionLog region : regions.values()) {
            all.add(
                    new Recovered(
                            region.regionId(),
                            region.meta(),
                            region.termRuns(),
                            region.lastIndex()));
        }
        return all;
    }

    /**
     * After all records have been visited: drops what snapshots stand for. Returns what is missing,
     * or null when every log is whole.
     */
    @Nullable String settle() {
        String missing = null;
        for (RegionLog region : regions.values()) {
            String what = region.settle();
            missing = missing == null ? what : missing;
        }
        return missing;
    }
}
