package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/** Has the region: late voters are opened, entries are replicated and counted. */
abstract class Owning extends LeaderState {
    Owning(Leadership leadership) {
        super(leadership);
    }

    @Override
    LeaderState onReady(VoterProgress voter, Clock.Reading now) {
        if (!voter.opened()) {
            leadership.open(voter, now);
        }
        return this;
    }

    @Override
    LeaderState onOpened(VoterProgress voter, Answer answer, Clock.Reading now) {
        leadership.place(voter, answer);
        return onAcked(now);
    }

    @Override
    LeaderState onAcked(Clock.Reading now) {
        leadership.advanceCommit();
        return this;
    }

    /** Without a majority of voters that can be counted nothing will ever be committed. */
    @Override
    LeaderState onTick(Clock.Reading now) {
        int members = leadership.voters.members().size();
        int counted = leadership.voters.count(voter -> !voter.distrusted);
        return counted > members / 2
                ? this
                : new Ended(
                        leadership,
                        LeaderPhase.FAILED,
                        "a majority of the voters has lost what it had acknowledged");
    }

    @Override
    LeaderState beginRelease(String why, Clock.Reading now) {
        return new Releasing(leadership, why).proceed(now);
    }

    @Override
    boolean replicates() {
        return true;
    }

    @Override
    boolean wantsLease() {
        return true;
    }
}
