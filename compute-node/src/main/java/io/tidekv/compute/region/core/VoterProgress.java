package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What a leader knows of one voter.
 *
 * <p>Invariants: {@code match < next}; everything up to {@code match} is durable there and equal to
 * the leader's log; {@code inFlight} ascends by seq and is empty without a connection.
 */
final class VoterProgress {
    /** How entries are sent. */
    enum Mode {
        /** The voter has not accepted the term yet. */
        UNOPENED,
        /** Where its log agrees is not known: one Append at a time. */
        PROBE,
        /** Appends are pipelined. */
        REPLICATE
    }

    final long walId;
    private final ArrayDeque<Sent> inFlight = new ArrayDeque<>();
    private long inFlightBytes;
    private int appendsInFlight;

    boolean connected;
    Mode mode = Mode.UNOPENED;

    /** It has lost what it had acknowledged, or speaks nonsense: not counted any more. */
    boolean distrusted;

    /** It may have lost what it had acknowledged: not counted before it has what is committed. */
    boolean learner;

    /** It was told to forget the region and has not said that it has. */
    boolean retiring;

    /** It has answered the Release. */
    boolean released;

    /** Not to be tried before, when {@code stalled}. */
    long retryAtNanos;

    boolean stalled;
    long match;
    long next = 1;
    long snapshotAcked;
    long snapshotSent;
    long commitSent;

    /** The newest Append sent on this connection, 0 when none. */
    long appendSeq;

    /** The newest Append that it has answered as this owner's voter. */
    long ackedSeq;

    /** Seq of the Read from another voter that this one waits for; 0 when none. */
    long awaitedRead;

    /** An Append is wanted even if there is nothing to append. */
    boolean nudge;

    long session;
    Clock.@Nullable Reading granted;

    VoterProgress(long walId) {
        this.walId = walId;
    }

    boolean opened() {
        return mode != Mode.UNOPENED;
    }

    /** Whether it counts towards a majority, for entries, leases and confirmations alike. */
    boolean counts() {
        return !distrusted && !learner;
    }

    /**
     * What it says of itself in each answer. One that has become a learner may lack anything that
     * it had: what is known of it begins anew, and so do its promises.
     */
    void isLearner(boolean says) {
        if (says && !learner) {
            forget();
        }
        learner = says;
    }

    /** It may lack anything that it had. */
    void forget() {
        match = 0;
        snapshotAcked = 0;
        snapshotSent = 0;
        granted = null;
    }

    /** Whether something may be sent now. */
    boolean ready(long nowNanos) {
        if (stalled && nowNanos - retryAtNanos >= 0) {
            stalled = false;
        }
        return connected && !distrusted && !stalled;
    }

    void connect() {
        connected = true;
        stalled = false;
        rewind();
    }

    void disconnect() {
        connected = false;
        inFlight.clear();
        inFlightBytes = 0;
        appendsInFlight = 0;
        rewind();
    }

    /** Begins again after the last entry that is known to be durable there. */
    void rewind() {
        if (opened()) {
            mode = Mode.PROBE;
            if (match > 0) {
                next = match + 1;
            }
        }
        snapshotSent = snapshotAcked;
        commitSent = 0;
        appendSeq = 0;
        awaitedRead = 0;
        nudge = false;
    }

    /**
     * Nothing is known of the node any more, which counts for nothing; answers to what is under way
     * are ignored.
     */
    void restart() {
        inFlight.clear();
        inFlightBytes = 0;
        appendsInFlight = 0;
        mode = Mode.UNOPENED;
        distrusted = false;
        learner = false;
        retiring = false;
        match = 0;
        next = 1;
        snapshotAcked = 0;
        ackedSeq = 0;
        session = 0;
        granted = null;
        rewind();
    }

    /** Leaves the voter alone for a while. */
    void stall(long nowNanos, long ms) {
        stalled = true;
        retryAtNanos = nowNanos + ms * 1_000_000L;
    }

    void sent(Sent request) {
        inFlight.addLast(request);
        inFlightBytes += request.bytes();
        if (request.kind() == Sent.Kind.APPEND) {
            appendSeq = request.seq();
            appendsInFlight++;
        }
    }

    /** Takes the oldest request out that is numbered up to {@code seq}; null when there is none. */
    @Nullable Sent takeUpTo(long seq) {
        Sent request = inFlight.peekFirst();
        if (request == null || request.seq() > seq) {
            return null;
        }
        inFlight.removeFirst();
        inFlightBytes -= request.bytes();
        appendsInFlight -= request.kind() == Sent.Kind.APPEND ? 1 : 0;
        return request;
    }

    boolean idle() {
        return inFlight.isEmpty();
    }

    int appendsInFlight() {
        return appendsInFlight;
    }

    long inFlightBytes() {
        return inFlightBytes;
    }

    /** The voter promises a lease for a request sent at {@code at}. */
    void grant(Clock.Reading at) {
        Clock.Reading held = granted;
        if (held == null || at.monotonicNanos() - held.monotonicNanos() > 0) {
            granted = at;
        }
    }

    void matchTo(long index) {
        match = Math.max(match, index);
        next = Math.max(next, match + 1);
    }
}
