package io.tidekv.wal.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.VoterStorage.Recovered;
import io.tidekv.wal.core.VoterStorage.TermRun;
import java.util.ArrayList;
import java.util.List;

/** One region of {@link MemoryVoterStorage}: meta and the entries after its snapshot. */
final class MemoryLog {
    private VoterMeta meta = VoterMeta.getDefaultInstance();
    private final List<Entry> entries = new ArrayList<>();

    MemoryLog copy() {
        MemoryLog copy = new MemoryLog();
        copy.meta = meta;
        copy.entries.addAll(entries);
        return copy;
    }

    VoterMeta meta() {
        return meta;
    }

    List<Entry> entries() {
        return entries;
    }

    long termAt(long index) {
        long at = index - base() - 1;
        if (at == -1) {
            return meta.getSnapshot().getTerm();
        }
        return at >= 0 && at < entries.size() ? entries.get((int) at).getTerm() : -1;
    }

    void put(VoterMeta changed, boolean reset) {
        long trimmed = changed.getSnapshot().getIndex() - base();
        Invariants.check(trimmed >= 0, "the snapshot goes back by %s", -trimmed);
        Invariants.check(reset || trimmed <= entries.size(), "the snapshot passes the log");
        entries.subList(0, reset ? entries.size() : (int) trimmed).clear();
        meta = changed;
    }

    void append(List<Entry> added) {
        int at = (int) (added.get(0).getIndex() - base() - 1);
        Invariants.check(at >= 0 && at <= entries.size(), "a gap before %s", base() + at + 1);
        entries.subList(at, entries.size()).clear();
        entries.addAll(added);
    }

    List<Entry> read(long fromIndex, long toIndex, long bytesMax) {
        List<Entry> read = new ArrayList<>();
        long bytes = 0;
        for (long index = fromIndex; index <= toIndex; index++) {
            Entry entry = entries.get((int) (index - base() - 1));
            bytes += entry.getData().size();
            if (!read.isEmpty() && bytes > bytesMax) {
                break;
            }
            read.add(entry);
        }
        return read;
    }

    Recovered recovered(long regionId) {
        List<TermRun> runs = new ArrayList<>();
        long term = 0;
        for (Entry entry : entries) {
            if (entry.getTerm() != term) {
                term = entry.getTerm();
                runs.add(new TermRun(entry.getIndex(), term));
            }
        }
        return new Recovered(regionId, meta, runs, base() + entries.size());
    }

    private long base() {
        return meta.getSnapshot().getIndex();
    }
}
