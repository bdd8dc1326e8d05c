package io.tidekv.wal.storage;

import io.tidekv.proto.region.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The regions of a node as far as they can be told from segments with holes. Where an index tells
 * what a hole held, nothing is in doubt but the data. Behind a hole of which nothing is known every
 * log ends as it stood there, for an entry may be missing that replaced others; metas are taken
 * still, each holds by itself.
 */
final class SalvagedLogs implements SegmentScanner.Visitor {
    private final RegionLogs logs = new RegionLogs(new Uncounted());
    private final Set<Long> certain = new TreeSet<>();
    private boolean doubt;

    /** Something is missing here of which nothing is known. */
    void hole() {
        doubt = true;
        certain.clear();
    }

    /** Something is missing before all that there is. */
    void headless() {
        hole();
        for (RegionLog region : logs.all().values()) {
            region.entries.clear();
        }
    }

    /** Whether there was a hole of which nothing is known. */
    boolean doubtful() {
        return doubt;
    }

    /** Whether the region may have forgotten more than the data of entries. */
    boolean doubtful(long regionId) {
        return doubt && !certain.contains(regionId);
    }

    @Override
    public void visit(LogRecord record, long place, int size) {
        boolean reset = record instanceof LogRecord.Meta meta && meta.reset();
        if (reset && doubt) {
            // It says all there is to say of the region.
            certain.add(record.regionId());
        }
        if (reset || !doubtful(record.regionId())) {
            logs.visit(record, place, size);
        } else if (record instanceof LogRecord.Meta meta) {
            RegionLog region = logs.of(meta.regionId());
            if (!continues(region, meta.meta().getSnapshot())) {
                region.entries.clear();
            }
            region.putMeta(meta.meta(), place, size);
        }
    }

    /** Whether the log, as it stood, leads over a snapshot: only then its rest may follow that. */
    private static boolean continues(RegionLog region, Snapshot snapshot) {
        long index = snapshot.getIndex();
        boolean before = region.hasMeta() && index <= region.snapshotIndex();
        boolean within =
                region.entries.has(index) && region.entries.term(index) == snapshot.getTerm();
        return before || within;
    }

    /** Those whose meta is known, in ascending order. */
    List<RegionLog> regions() {
        List<RegionLog> known = new ArrayList<>();
        for (RegionLog region : logs.all().values()) {
            if (region.hasMeta()) {
                region.entries.trimThrough(region.snapshotIndex());
                known.add(region);
            }
        }
        return known;
    }

    /** Whether the region is gone but for its entries. */
    boolean isLost(long regionId) {
        RegionLog region = logs.all().get(regionId);
        return region == null || !region.hasMeta();
    }

    /** Nothing is deleted here, so nothing need be counted. */
    private static final class Uncounted implements EntryIndex.Usage {
        @Override
        public void hold(long place, int size) {}

        @Override
        public void release(long place, int size) {}
    }
}
