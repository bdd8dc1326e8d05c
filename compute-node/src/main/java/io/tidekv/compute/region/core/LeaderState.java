package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/**
 * What a leader does in one phase. The states share a {@link Leadership}; a method that ends the
 * phase returns the state that follows, and otherwise {@code this}.
 */
abstract class LeaderState {
    final Leadership leadership;

    LeaderState(Leadership leadership) {
        this.leadership = leadership;
    }

    abstract LeaderPhase phase();

    /** Why the term ends or has ended; empty while it goes on. */
    String reason() {
        return "";
    }

    /** A voter has accepted the term; its progress is up to date. */
    LeaderState onOpened(VoterProgress voter, Answer answer, Clock.Reading now) {
        return this;
    }

    /** A voter has acknowledged an Append. */
    LeaderState onAcked(Clock.Reading now) {
        return this;
    }

    /** A voter has answered a Release. */
    LeaderState onReleased(VoterProgress voter, Clock.Reading now) {
        return this;
    }

    /** A new connection, or a moment to try again what was refused. */
    LeaderState onReady(VoterProgress voter, Clock.Reading now) {
        return this;
    }

    /** A node that is no voter any more has forgotten the region. */
    LeaderState onRetired(VoterProgress voter) {
        leadership.forget(voter);
        return this;
    }

    /** What can be done at any moment, before entries are sent. */
    void work(Clock.Reading now) {}

    /** The nodes that are spoken to. */
    Iterable<VoterProgress> correspondents() {
        return leadership.voters.replicas();
    }

    LeaderState onTick(Clock.Reading now) {
        return this;
    }

    /** A higher term waits, or the driver hands the region over. */
    LeaderState beginRelease(String why, Clock.Reading now) {
        return this;
    }

    /** Whether Appends are sent. */
    boolean replicates() {
        return false;
    }

    /** Whether the voters are asked for a lease. */
    boolean wantsLease() {
        return false;
    }
}
