package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Asks the voters until a majority of the newest config that any of them knows has accepted. */
final class Opening extends LeaderState {
    private final Map<Long, Answer> answers = new TreeMap<>();

    Opening(Leadership leadership) {
        super(leadership);
    }

    @Override
    LeaderPhase phase() {
        return LeaderPhase.OPENING;
    }

    @Override
    LeaderState onReady(VoterProgress voter, Clock.Reading now) {
        leadership.open(voter, now);
        return this;
    }

    @Override
    LeaderState onOpened(VoterProgress voter, Answer answer, Clock.Reading now) {
        answers.put(answer.walId(), answer);
        // Not placed yet: that needs the log that is still to be chosen.
        voter.mode = VoterProgress.Mode.PROBE;
        List<Answer> counted = new ArrayList<>();
        for (VoterProgress member : leadership.voters.members()) {
            Answer answered = answers.get(member.walId);
            if (answered != null) {
                counted.add(answered);
            }
        }
        if (counted.size() <= leadership.voters.members().size() / 2) {
            return this;
        }
        leadership.adoptLog(counted);
        return new Completing(leadership);
    }

    @Override
    LeaderState beginRelease(String why, Clock.Reading now) {
        for (VoterProgress voter : leadership.voters.all()) {
            if (voter.connected && voter.opened()) {
                leadership.requests.release(voter, now);
            }
        }
        return new Ended(leadership, LeaderPhase.RELEASED, why);
    }
}
