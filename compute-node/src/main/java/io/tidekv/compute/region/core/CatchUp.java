package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.ReadResponse;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Brings a voter to the start of the window: by a reset to the snapshot if it lies before that, and
 * by entries read from another voter, one piece at a time.
 */
final class CatchUp {
    private static final long UNKNOWN = -1;

    private final Leadership leadership;
    private final Map<Long, Piece> underWay = new TreeMap<>();

    /** Entries after {@code prevIndex} for a voter, being read from another one. */
    private record Piece(
            VoterProgress target, VoterProgress source, long prevIndex, long prevTerm) {}

    CatchUp(Leadership leadership) {
        this.leadership = leadership;
    }

    /** Sends the next piece, or asks for it. The voter has no Append under way. */
    void supply(VoterProgress voter, boolean wantsLease, Clock.Reading now) {
        long prev = voter.next - 1;
        Snapshot snapshot = leadership.snapshot();
        if (prev < snapshot.getIndex()) {
            reset(voter, snapshot, wantsLease, now);
            return;
        }
        long prevTerm = prev == snapshot.getIndex() ? snapshot.getTerm() : UNKNOWN;
        ask(voter, prev, prevTerm, now);
    }

    private void ask(VoterProgress voter, long prev, long prevTerm, Clock.Reading now) {
        long from = prevTerm == UNKNOWN ? prev : prev + 1;
        VoterProgress source = leadership.voters.source(from, voter, now.monotonicNanos());
        if (source == null || source.match <= prev) {
            return;
        }
        long to = Math.min(source.match, leadership.window().baseIndex());
        long seq = leadership.requests.read(source, from, to, leadership.options.readBytes(), now);
        voter.awaitedRead = seq;
        underWay.put(seq, new Piece(voter, source, prev, prevTerm));
    }

    private void reset(
            VoterProgress voter, Snapshot snapshot, boolean wantsLease, Clock.Reading now) {
        AppendRequest body =
                base(voter, snapshot.getIndex(), snapshot.getTerm(), wantsLease)
                        .setSnapshot(snapshot)
                        .setResetToSnapshot(true)
                        .build();
        voter.next = snapshot.getIndex() + 1;
        leadership.requests.append(voter, body, 0, now);
    }

    /** The answer to a Read; returns false when it was not asked from here. */
    boolean onRead(long seq, ReadResponse response, boolean wantsLease, Clock.Reading now) {
        Piece piece = underWay.remove(seq);
        if (piece == null) {
            return false;
        }
        VoterProgress target = piece.target();
        if (target.awaitedRead != seq) {
            return true;
        }
        target.awaitedRead = 0;
        if (!target.ready(now.monotonicNanos()) || target.next != piece.prevIndex() + 1) {
            return true;
        }
        if (response.hasSnapshot()) {
            leadership.snapshotSeen(response.getSnapshot());
            return true;
        }
        List<Entry> entries = response.getEntriesList();
        long from = piece.prevTerm() == UNKNOWN ? piece.prevIndex() : piece.prevIndex() + 1;
        if (!consecutive(entries, from, leadership.term)) {
            leadership.distrust(piece.source());
            return true;
        }
        long prevTerm = piece.prevTerm();
        if (prevTerm == UNKNOWN) {
            prevTerm = entries.get(0).getTerm();
            entries = entries.subList(1, entries.size());
        }
        if (entries.isEmpty()) {
            ask(target, piece.prevIndex(), prevTerm, now);
        } else {
            forward(target, piece.prevIndex(), prevTerm, entries, wantsLease, now);
        }
        return true;
    }

    private void forward(
            VoterProgress target,
            long prevIndex,
            long prevTerm,
            List<Entry> entries,
            boolean wantsLease,
            Clock.Reading now) {
        long bytes = 0;
        for (Entry entry : entries) {
            bytes += EntryWindow.bytesOf(entry);
        }
        AppendRequest body =
                base(target, prevIndex, prevTerm, wantsLease).addAllEntries(entries).build();
        target.next = prevIndex + entries.size() + 1;
        leadership.requests.append(target, body, bytes, now);
    }

    private AppendRequest.Builder base(
            VoterProgress voter, long prevIndex, long prevTerm, boolean wantsLease) {
        return leadership
                .requests
                .append()
                .setPrevIndex(prevIndex)
                .setPrevTerm(prevTerm)
                .setCommitIndex(leadership.commitIndex())
                .setPromote(leadership.replicator.promotes(voter))
                .setLeaseMs(wantsLease ? leadership.options.leaseMs() : 0);
    }

    /** Whether these are entries from {@code first} on, at least one, as a log can have them. */
    static boolean consecutive(List<Entry> entries, long first, long termMax) {
        long index = first;
        long term = 0;
        for (Entry entry : entries) {
            if (entry.getIndex() != index || entry.getTerm() < term || entry.getTerm() > termMax) {
                return false;
            }
            index++;
            term = entry.getTerm();
        }
        return index > first;
    }

    /** A Read that was refused, or will not be answered. */
    void lost(long seq) {
        Piece piece = underWay.remove(seq);
        if (piece != null && piece.target().awaitedRead == seq) {
            piece.target().awaitedRead = 0;
        }
    }

    /** No Read of this voter will be answered any more. */
    void lost(VoterProgress source) {
        Iterator<Map.Entry<Long, Piece>> pieces = underWay.entrySet().iterator();
        while (pieces.hasNext()) {
            Map.Entry<Long, Piece> next = pieces.next();
            VoterProgress target = next.getValue().target();
            if (next.getValue().source() == source) {
                pieces.remove();
                target.awaitedRead = target.awaitedRead == next.getKey() ? 0 : target.awaitedRead;
            }
        }
    }

    /** A voter that waits for entries which no reachable voter has; null when there is none. */
    @Nullable VoterProgress starving(Clock.Reading now) {
        for (VoterProgress voter : leadership.voters.members()) {
            if (voter.opened()
                    && voter.ready(now.monotonicNanos())
                    && voter.awaitedRead == 0
                    && voter.appendsInFlight() == 0
                    && voter.next - 1 < leadership.window().baseIndex()
                    && leadership.voters.source(voter.next, voter, now.monotonicNanos()) == null) {
                return voter;
            }
        }
        return null;
    }
}
