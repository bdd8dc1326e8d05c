package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.VoterStorage.TermRun;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the segments hold of one region: its newest meta and the places of its entries. */
final class RegionLog {
    final EntryIndex entries;

    private final long regionId;
    private final EntryIndex.Usage usage;
    // Null only while segments are read back: entries of a region may be met before its meta.
    private @Nullable VoterMeta meta;
    private long metaPlace;
    private int metaSize;

    RegionLog(long regionId, EntryIndex.Usage usage) {
        this.regionId = regionId;
        this.usage = usage;
        entries = new EntryIndex(usage);
    }

    long regionId() {
        return regionId;
    }

    boolean hasMeta() {
        return meta != null;
    }

    VoterMeta meta() {
        return Invariants.present(meta, "meta");
    }

    long metaPlace() {
        return metaPlace;
    }

    /** Takes a meta and lets go of the entries that its snapshot stands for. */
    void putMeta(VoterMeta newMeta, long place, int size) {
        if (meta != null) {
            usage.release(metaPlace, metaSize);
        }
        meta = newMeta;
        metaPlace = place;
        metaSize = size;
        usage.hold(place, size);
        entries.trimThrough(newMeta.getSnapshot().getIndex());
    }

    long snapshotIndex() {
        return meta().getSnapshot().getIndex();
    }

    long lastIndex() {
        return entries.isEmpty() ? snapshotIndex() : entries.lastIndex();
    }

    /** Drops what the snapshot stands for; what is missing, or null when the log is whole. */
    @Nullable String settle() {
        if (!hasMeta()) {
            return "region " + regionId + " has entries but no meta";
        }
        entries.trimThrough(snapshotIndex());
        long gap = firstGap();
        return gap == 0 ? null : "region " + regionId + " lacks entry " + gap;
    }

    /** The first index above the snapshot that is missing; 0 when the log is whole. */
    private long firstGap() {
        for (long index = snapshotIndex() + 1; index <= lastIndex(); index++) {
            if (!entries.has(index)) {
                return index;
            }
        }
        return 0;
    }

    List<TermRun> termRuns() {
        List<TermRun> runs = new ArrayList<>();
        for (long index = snapshotIndex() + 1; index <= lastIndex(); index++) {
            long term = entries.term(index);
            if (runs.isEmpty() || runs.get(runs.size() - 1).term() != term) {
                runs.add(new TermRun(index, term));
            }
        }
        return runs;
    }
}
