package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/**
 * Hands the region over. Proposals and reads have stopped; first what is under way is committed,
 * without asking for leases any more, then the voters are told. From then on nothing is appended.
 */
final class Releasing extends LeaderState {
    private final String why;
    private boolean told;

    Releasing(Leadership leadership, String why) {
        super(leadership);
        this.why = why;
    }

    @Override
    LeaderPhase phase() {
        return LeaderPhase.RELEASING;
    }

    @Override
    String reason() {
        return why;
    }

    /** Tells the voters as soon as everything is committed. */
    LeaderState proceed(Clock.Reading now) {
        if (told || !leadership.ownTermCommitted() || !leadership.committedAll()) {
            return this;
        }
        told = true;
        for (VoterProgress voter : leadership.voters.all()) {
            onReady(voter, now);
        }
        return this;
    }

    @Override
    LeaderState onReady(VoterProgress voter, Clock.Reading now) {
        if (told && voter.opened() && !voter.released && voter.ready(now.monotonicNanos())) {
            leadership.requests.release(voter, now);
        }
        return this;
    }

    @Override
    LeaderState onOpened(VoterProgress voter, Answer answer, Clock.Reading now) {
        leadership.place(voter, answer);
        return onReady(voter, now);
    }

    @Override
    LeaderState onAcked(Clock.Reading now) {
        leadership.advanceCommit();
        return proceed(now);
    }

    @Override
    LeaderState onReleased(VoterProgress voter, Clock.Reading now) {
        voter.released = true;
        int members = leadership.voters.members().size();
        return leadership.voters.count(member -> member.released) > members / 2
                ? new Ended(leadership, LeaderPhase.RELEASED, why)
                : this;
    }

    @Override
    boolean replicates() {
        return !told;
    }
}
