package io.tidekv.compute.region;

import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.PreparedRecord;
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
    private long bytes;
    private List<Entry> entries = new ArrayList<>();

    /** From the first entry of a region that has no record yet. */
    LogTail() {}

    LogTail(Snapshot snapshot) {
        record = snapshot.hasRecord() ? snapshot.getRecord() : null;
        coveredIndex = snapshot.getIndex();
        coveredTerm = snapshot.getTerm();
        lastIndex = snapshot.getIndex();
    }

    /** From {@code applied} on, where a tablet stands that was opened at {@code base}. */
    LogTail(PreparedRecord base, AppliedMark applied) {
        record = base.ref();
        coveredIndex = base.record().getAppliedIndex();
        coveredTerm = base.record().getAppliedTerm();
        lastIndex = applied.index();
    }

    private LogTail(LogTail other) {
        record = other.record;
        coveredIndex = other.coveredIndex;
        coveredTerm = other.coveredTerm;
        lastIndex = other.lastIndex;
        bytes = other.bytes;
        entries = new ArrayList<>(other.entries);
    }

    LogTail copy() {
        return new LogTail(this);
    }

    /** Takes the next committed entries. */
    void add(List<Entry> next) {
        for (Entry entry : next) {
            lastIndex = entry.getIndex();
            entries.add(entry);
            bytes += entry.getData().size();
            if (entry.getKind() == EntryKind.MANIFEST_COMMIT) {
                follow(RegionMachine.manifestCommit(entry));
            } else if (entry.getKind() == EntryKind.COMMIT_MERGE) {
                follow(RegionMachine.commitMerge(entry).getRecord());
            }
        }
    }

    private void follow(ManifestCommit commit) {
        if (RegionMachine.follows(commit, record)) {
            record = commit.getRecord();
            coveredIndex = commit.getAppliedIndex();
            coveredTerm = commit.getAppliedTerm();
            entries = after(coveredIndex);
        }
    }

    private List<Entry> after(long index) {
        List<Entry> kept = new ArrayList<>();
        bytes = 0;
        for (Entry entry : entries) {
            if (entry.getIndex() > index) {
                kept.add(entry);
                bytes += entry.getData().size();
            }
        }
        return kept;
    }

    /** The record to open; null when the region has none. */
    @Nullable ObjectRef record() {
        return record;
    }

    /** Whether the record is the first of a split's child, which its parent has made. */
    boolean isUnborn() {
        return record != null && coveredIndex == 0;
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

    /** Bytes of the entries that are kept. */
    long bytes() {
        return bytes;
    }

    /** The entries to replay on top of the record, in order. */
    List<Entry> entries() {
        return List.copyOf(entries);
    }
}
