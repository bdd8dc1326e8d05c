package io.tidekv.wal.storage;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * Moves the little that an old segment still holds into the newest one, so that a few idle regions
 * do not keep a long log alive. It begins when a segment's worth and half of the log are dead, so
 * that what the segments take up stays below twice what is live and two segments.
 */
final class SegmentCleaner {
    private final SegmentLog log;
    private final Map<Long, RegionLog> regions;
    private final Deque<Long> waiting = new ArrayDeque<>();
    private long segment = -1;

    SegmentCleaner(SegmentLog log, Map<Long, RegionLog> regions) {
        this.log = log;
        this.regions = regions;
    }

    /** Appends about {@code bytesMax} of what is to be moved, if anything is. */
    void step(int bytesMax) throws IOException {
        long wasteful = log.wasteful();
        if (wasteful < 0) {
            waiting.clear();
            return;
        } else if (wasteful != segment || waiting.isEmpty()) {
            segment = wasteful;
            waiting.clear();
            waiting.addAll(regions.keySet());
        }
        long until = log.nextPlace() + bytesMax;
        while (!waiting.isEmpty() && log.nextPlace() < until) {
            RegionLog region = regions.get(waiting.peek());
            if (region == null || moveOut(region, until)) {
                waiting.poll();
            }
        }
    }

    /** True when nothing of the region is left in the segment. */
    private boolean moveOut(RegionLog region, long until) throws IOException {
        if (Position.segment(region.metaPlace()) == segment) {
            int size = LogRecord.size(region.meta());
            long place = log.nextPlace();
            LogRecord.encodeMeta(log.room(size), region.regionId(), region.meta(), false);
            region.putMeta(region.meta(), place, size);
        }
        EntryIndex entries = region.entries;
        for (long index = entries.firstIndex(); index <= entries.lastIndex(); index++) {
            if (Position.segment(entries.place(index)) == segment) {
                if (log.nextPlace() >= until) {
                    return false;
                }
                move(region, index);
            }
        }
        return true;
    }

    private void move(RegionLog region, long index) throws IOException {
        int size = region.entries.size(index);
        var entry = LogRecord.entry(log.read(region.entries.place(index), size), 0, size);
        long place = log.nextPlace();
        LogRecord.encodeEntry(log.room(size), region.regionId(), entry, true);
        region.entries.put(index, place, size, entry.getTerm());
    }
}
