package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.AppendResponse;
import org.jspecify.annotations.Nullable;

/** Sends the log to the voters and learns from their answers how far each of them is. */
final class Replicator {
    private static final int APPENDS_IN_FLIGHT_MAX = 256;

    private final Leadership leadership;
    final CatchUp catchUp;
    private long confirmSeq;
    private @Nullable AppendRequest built;

    Replicator(Leadership leadership) {
        this.leadership = leadership;
        this.catchUp = new CatchUp(leadership);
    }

    /** Every voter is to be sent something that is numbered {@code seq} or higher. */
    void confirmFrom(long seq) {
        confirmSeq = seq;
    }

    void pump(boolean wantsLease, Clock.Reading now) {
        for (VoterProgress voter : leadership.voters.replicas()) {
            if (voter.opened() && voter.ready(now.monotonicNanos())) {
                supply(voter, wantsLease, now);
            }
        }
    }

    private void supply(VoterProgress voter, boolean wantsLease, Clock.Reading now) {
        EntryWindow window = leadership.window();
        while (voter.awaitedRead == 0 && hasRoom(voter)) {
            if (voter.next - 1 < window.baseIndex()) {
                if (voter.appendsInFlight() == 0) {
                    catchUp.supply(voter, wantsLease, now);
                }
                return;
            }
            long to = window.endOfSlice(voter.next, leadership.options.appendBytes());
            boolean empty = to < voter.next;
            if (empty && !wantsEmpty(voter)) {
                return;
            }
            send(voter, to, wantsLease, now);
            if (empty) {
                return;
            }
        }
    }

    private boolean hasRoom(VoterProgress voter) {
        return voter.mode == VoterProgress.Mode.PROBE
                ? voter.appendsInFlight() == 0
                : voter.appendsInFlight() < APPENDS_IN_FLIGHT_MAX
                        && voter.inFlightBytes() < leadership.options.inFlightBytes();
    }

    private boolean wantsEmpty(VoterProgress voter) {
        return voter.mode == VoterProgress.Mode.PROBE
                || voter.nudge
                || voter.appendSeq < confirmSeq;
    }

    private void send(VoterProgress voter, long to, boolean wantsLease, Clock.Reading now) {
        AppendRequest body = body(voter, to, wantsLease);
        long bytes = body.getEntriesCount() == 0 ? 0 : bytes(voter.next, to);
        if (body.hasSnapshot()) {
            voter.snapshotSent = body.getSnapshot().getIndex();
        }
        voter.commitSent = body.getCommitIndex();
        voter.nudge = false;
        voter.next = to + 1;
        leadership.requests.append(voter, body, bytes, now);
    }

    /** Whether a learner is to be told that it counts as soon as it has what is committed. */
    boolean promotes(VoterProgress voter) {
        return voter.learner && leadership.ownTermCommitted();
    }

    private long bytes(long from, long to) {
        long bytes = 0;
        for (long index = from; index <= to; index++) {
            bytes += EntryWindow.bytesOf(leadership.window().get(index));
        }
        return bytes;
    }

    /** Voters that are equally far get the same message object. */
    private AppendRequest body(VoterProgress voter, long to, boolean wantsLease) {
        long prev = voter.next - 1;
        Snapshot snapshot = leadership.snapshot();
        boolean move =
                voter.snapshotSent < snapshot.getIndex()
                        && snapshot.getIndex() <= leadership.commitIndex()
                        && snapshot.getIndex() <= to;
        long leaseMs = wantsLease ? leadership.options.leaseMs() : 0;
        AppendRequest last = built;
        if (last != null
                && last.getPrevIndex() == prev
                && last.getPrevIndex() + last.getEntriesCount() == to
                && last.getCommitIndex() == leadership.commitIndex()
                && last.getLeaseMs() == leaseMs
                && last.getPromote() == promotes(voter)
                && (move ? last.getSnapshot().equals(snapshot) : !last.hasSnapshot())) {
            return last;
        }
        AppendRequest.Builder body =
                leadership
                        .requests
                        .append()
                        .setPrevIndex(prev)
                        .setPrevTerm(leadership.window().termAt(prev))
                        .setCommitIndex(leadership.commitIndex())
                        .setPromote(promotes(voter))
                        .setLeaseMs(leaseMs);
        if (to > prev) {
            body.addAllEntries(leadership.window().slice(prev + 1, to));
        }
        if (move) {
            body.setSnapshot(snapshot);
        }
        AppendRequest fresh = body.build();
        built = fresh;
        return fresh;
    }

    /** The voter took the Append for its owner's, whether or not it fitted its log. */
    void onAnswer(
            VoterProgress voter, Sent sent, AppendResponse response, Clock.Reading receivedAt) {
        voter.ackedSeq = Math.max(voter.ackedSeq, sent.seq());
        voter.isLearner(response.getLearner());
        if (response.getSession() != 0) {
            voter.session = response.getSession();
            leadership.sessions.joined(voter.walId, response.getSession());
            voter.grant(leadership.rules.leaseStart(sent.at(), receivedAt));
        }
        if (response.getMatched()) {
            if (voter.mode == VoterProgress.Mode.PROBE) {
                voter.mode = VoterProgress.Mode.REPLICATE;
            }
            voter.matchTo(sent.lastIndex());
            voter.snapshotAcked = Math.max(voter.snapshotAcked, sent.snapshotIndex());
            return;
        }
        if (voter.learner && sent.prevIndex() <= voter.match) {
            // Damaged once more before it counted: it has broken no promise.
            voter.forget();
        } else if (sent.prevIndex() <= voter.match) {
            // It had this entry on disk, or it was committed there.
            leadership.distrust(voter);
            return;
        }
        voter.mode = VoterProgress.Mode.PROBE;
        long hinted = Math.min(sent.prevIndex(), response.getLastIndex() + 1);
        voter.next = Math.max(voter.match + 1, hinted);
        voter.snapshotSent = voter.snapshotAcked;
    }

    /** Whether every connected voter has all there is, and knows all there is to know. */
    boolean atRest() {
        int connected = 0;
        for (VoterProgress voter : leadership.voters.members()) {
            if (!voter.connected) {
                continue;
            }
            boolean settled =
                    voter.mode == VoterProgress.Mode.REPLICATE
                            && voter.counts()
                            && !voter.nudge
                            && voter.idle()
                            && voter.match == leadership.window().lastIndex()
                            && voter.commitSent == leadership.commitIndex()
                            && voter.snapshotSent >= leadership.snapshot().getIndex()
                            && leadership.sessions.current(voter.walId, voter.session);
            if (!settled) {
                return false;
            }
            connected++;
        }
        return connected > leadership.voters.members().size() / 2;
    }

    /** Marks the voters that should hear from us although there is nothing to append. */
    void nudge() {
        Snapshot snapshot = leadership.snapshot();
        for (VoterProgress voter : leadership.voters.replicas()) {
            if (!voter.opened() || !voter.connected || voter.appendsInFlight() > 0) {
                continue;
            }
            boolean stranger = !leadership.sessions.current(voter.walId, voter.session);
            boolean behind = voter.commitSent < leadership.commitIndex();
            boolean trims =
                    voter.snapshotSent < snapshot.getIndex()
                            && snapshot.getIndex() <= leadership.commitIndex();
            voter.nudge |= stranger || behind || trims || promotes(voter);
        }
    }
}
