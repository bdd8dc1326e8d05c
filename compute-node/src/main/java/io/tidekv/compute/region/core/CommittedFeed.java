package io.tidekv.compute.region.core;

import io.tidekv.common.Invariants;
import io.tidekv.common.codec.EntryAssembler;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.ReadResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands the committed entries to the driver in order: from the window, or else read from a voter, a
 * piece at a time. Parts are joined here.
 */
final class CommittedFeed {
    private final Leadership leadership;
    private final ArrayDeque<Entry> fetched = new ArrayDeque<>();
    private final EntryAssembler assembler = new EntryAssembler();
    private long taken;
    private long takenMax;
    private long untakenBytes;
    private long readSeq;
    private @Nullable VoterProgress readFrom;

    CommittedFeed(Leadership leadership) {
        this.leadership = leadership;
    }

    void startAfter(long index) {
        taken = index;
        takenMax = index;
    }

    /** The last entry that is not to be read again, be it a part that is kept here. */
    long takenIndex() {
        return taken;
    }

    /** The last whole entry that was handed out, or where it begins. */
    long returnedIndex() {
        return taken - assembler.pending();
    }

    /** The furthest that was ever taken, whatever was sought since. */
    long takenMax() {
        return takenMax;
    }

    /** Bytes of proposals that have not been taken: what the window must hold. */
    long untakenBytes() {
        return untakenBytes;
    }

    void proposed(Entry entry) {
        untakenBytes += EntryWindow.bytesOf(entry);
    }

    List<Entry> take() {
        if (taken >= leadership.commitIndex()) {
            return List.of();
        }
        EntryWindow window = leadership.window();
        List<Entry> entries = new ArrayList<>();
        while (taken < leadership.commitIndex()) {
            Entry entry = window.contains(taken + 1) ? window.get(taken + 1) : fetched.pollFirst();
            if (entry == null) {
                break;
            }
            Invariants.check(entry.getIndex() == taken + 1, "fetched %s", entry.getIndex());
            Entry whole = assembler.add(entry);
            if (whole != null) {
                entries.add(whole);
            }
            taken++;
            if (taken > takenMax) {
                takenMax = taken;
                if (taken > leadership.noopIndex()) {
                    untakenBytes -= EntryWindow.bytesOf(entry);
                }
            }
        }
        return entries;
    }

    void seek(long index) {
        Invariants.check(
                index >= leadership.snapshot().getIndex() && index <= leadership.commitIndex(),
                "seek to %s",
                index);
        while (takenMax < index) {
            // Entries that are passed over need not be held for the driver any more.
            takenMax++;
            if (takenMax > leadership.noopIndex() && leadership.window().contains(takenMax)) {
                untakenBytes -= EntryWindow.bytesOf(leadership.window().get(takenMax));
            }
        }
        taken = index;
        assembler.clear();
        fetched.clear();
        readSeq = 0;
        readFrom = null;
    }

    /** Asks a voter for what is to be handed out and is not in memory. */
    void pump(Clock.Reading now) {
        long base = leadership.window().baseIndex();
        long to = Math.min(base, leadership.commitIndex());
        if (readSeq != 0 || !fetched.isEmpty() || taken >= to) {
            return;
        }
        VoterProgress source = leadership.voters.source(taken + 1, null, now.monotonicNanos());
        if (source != null) {
            readFrom = source;
            readSeq =
                    leadership.requests.read(
                            source,
                            taken + 1,
                            Math.min(to, source.match),
                            leadership.options.readBytes(),
                            now);
        }
    }

    void onRead(long seq, VoterProgress source, ReadResponse response) {
        if (seq != readSeq) {
            return;
        }
        readSeq = 0;
        readFrom = null;
        List<Entry> entries = response.getEntriesList();
        if (response.hasSnapshot()) {
            leadership.snapshotSeen(response.getSnapshot());
        } else if (CatchUp.consecutive(entries, taken + 1, leadership.term)) {
            fetched.addAll(entries);
        } else {
            leadership.distrust(source);
        }
    }

    void lost(long seq) {
        if (seq == readSeq) {
            readSeq = 0;
            readFrom = null;
        }
    }

    void lost(VoterProgress source) {
        if (readFrom == source) {
            lost(readSeq);
        }
    }
}
