package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/**
 * The decisions of a leader that safety hangs on, each in a method of its own so that the
 * simulation can prove that it notices when one of them is wrong. Production uses {@link #RIGHT}
 * only.
 */
public class LeaderRules {
    /** The protocol as documented. */
    public static final LeaderRules RIGHT = new LeaderRules();

    protected LeaderRules() {}

    /** How many of {@code voters} must have an entry before it is committed. */
    public int commitQuorum(int voters) {
        return voters / 2 + 1;
    }

    /** How many of {@code voters} must grant a lease, or confirm a read. */
    public int leaseQuorum(int voters) {
        return voters / 2 + 1;
    }

    /** From which entry on replicas may be counted: the first of the own term. */
    public long firstCountedIndex(long noopIndex) {
        return noopIndex;
    }

    /** Whether a config has to be committed before the next one is proposed. */
    public boolean oneConfigAtATime() {
        return true;
    }

    /** Whether a config may differ from the one before by one node only. */
    public boolean oneNodeAtATime() {
        return true;
    }

    /** Whether voters are changed only after an entry of the own term is committed. */
    public boolean changesAfterOwnCommit() {
        return true;
    }

    /** Whether a node gets the log before it counts. */
    public boolean catchesUpFirst() {
        return true;
    }

    /** Whether the log of {@code candidate} is to be adopted rather than that of {@code best}. */
    boolean prefers(Answer candidate, Answer best) {
        return prefersLog(
                candidate.lastTerm(), candidate.lastIndex(), best.lastTerm(), best.lastIndex());
    }

    /** Raft's order of logs: the later term wins, then the longer log. */
    public boolean prefersLog(long lastTerm, long lastIndex, long bestTerm, long bestIndex) {
        return lastTerm != bestTerm ? lastTerm > bestTerm : lastIndex > bestIndex;
    }

    /** When a lease starts that was asked for and granted at these times. */
    public Clock.Reading leaseStart(Clock.Reading sentAt, Clock.Reading receivedAt) {
        return sentAt;
    }

    /** Whether reads stop when the release begins. */
    public boolean readsStopAtRelease() {
        return true;
    }
}
