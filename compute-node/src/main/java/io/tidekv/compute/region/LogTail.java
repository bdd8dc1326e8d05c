package io.tidekv.compute.region;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ManifestCommit;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.Snapshot;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The committed log of a region that is being opened, from the voters' snapshot on: finds the
 * newest record that is valid and keeps the entries that must be replayed on top of it. Pure.
 */
final class LogTail {
    private @Nullable ObjectRef record;
    private long coveredIndex;
    private long coveredTerm;
    private long lastIndex;
    private List<Entry> entries = new ArrayList<>();

    LogTail(Snapshot snapshot) {
        record = snapshot.hasRecord() ? snapshot.getRecord() : null;
        coveredIndex = snapshot.getIndex();
        coveredTerm = snapshot.getTerm();
        lastIndex = snapshot.getIndex();
    }

    /** Takes the next committed entries. */
    void add(List<Entry> next) {
        for (Entry entry : next) {
            lastIndex = entry.getIndex();
            entries.add(entry);
            if (entry.getKind() == EntryKind.MANIFEST_COMMIT) {
                ManifestCommit commit = RegionMachine.manifestCommit(entry);
                if (RegionMachine.follows(commit, record)) {
                    record = commit.getRecord();
                    coveredIndex = commit.getAppliedIndex();
                    coveredTerm = commit.getAppliedTerm();
                    entries = after(coveredIndex);
                }
            }
        }
    }

    private List<Entry> after(long index) {
        List<Entry> kept = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.getIndex() > index) {
                kept.add(entry);
            }
        }
        return kept;
    }

    /** The record to open; null when the region has none. */
    @Nullable ObjectRef record() {
        return record;
    }

    /** What the record covers. */
    long coveredIndex() {
        return coveredIndex;
    }

    long coveredTerm() {
        return coveredTerm;
    }

    /** The last entry taken. */
    long lastIndex() {
        return lastIndex;
    }

    /** The entries to replay on top of the record, in order. */
    List<Entry> entries() {
        return List.copyOf(entries);
    }
}
