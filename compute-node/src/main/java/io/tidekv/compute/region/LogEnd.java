package io.tidekv.compute.region;

import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the end of a log says of the region to one who does not open it: whether the current record
 * holds everything. It is judged by the entries since the voters' start of the log, which moves
 * past an entry only when that is settled: a split, say, not before its children live on their own.
 * So a region of which these entries tell nothing has no duties. Belongs to the region's loop.
 */
final class LogEnd {
    /** More than publications, terms and changes of voters leave behind: not worth reading. */
    private static final int ENTRIES_MAX = 64;

    private final RegionLog regionLog;
    private @Nullable LogTail tail;
    private @Nullable ObjectRef record;
    private boolean eventful;
    private boolean known;
    private long entries;

    LogEnd(RegionLog regionLog) {
        this.regionLog = regionLog;
    }

    /** Takes what there is to read of a log that is led; to be called until it is known. */
    void look() {
        LogTail so = tail;
        if (known) {
            return;
        }
        if (so == null) {
            entries = regionLog.committed() - regionLog.start().getIndex();
        }
        if (entries > ENTRIES_MAX) {
            eventful = true;
            known = true;
            return;
        }
        if (so == null || regionLog.start().getIndex() > regionLog.readTo()) {
            so = new LogTail(regionLog.start());
            tail = so;
            eventful = false;
            regionLog.seek(regionLog.start().getIndex());
        }
        List<Entry> next = regionLog.read();
        eventful |= next.stream().anyMatch(LogEnd::isEvent);
        so.add(next);
        if (regionLog.readTo() == regionLog.committed()) {
            known = true;
            eventful |= so.isUnborn() || so.entries().stream().anyMatch(LogEnd::isWrite);
            record = so.record();
            tail = null;
        }
    }

    private static boolean isWrite(Entry entry) {
        return entry.getKind() == EntryKind.WRITE;
    }

    private static boolean isEvent(Entry entry) {
        return switch (entry.getKind()) {
            case NOOP, CONFIG, MANIFEST_COMMIT, WRITE -> false;
            default -> true;
        };
    }

    /** Whether the end of the log has been seen. */
    boolean isKnown() {
        return known;
    }

    /** Whether an open tablet would have nothing to do but to answer. */
    boolean isQuiet() {
        return known && !eventful;
    }

    /** The record in force of a quiet region; null when it has none. */
    @Nullable ObjectRef record() {
        return record;
    }

    /** How long the log is: a measure of what has happened since the last publication. */
    long entries() {
        return entries;
    }
}
