package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Asks the voters, those that PD names and those that any log names, until the newest log of all is
 * known to be so by a majority of its own config. A learner does not count, whatever its log.
 */
final class Opening extends LeaderState {
    private final Map<Long, Answer> answers = new TreeMap<>();
    private final long generation;
    private boolean hopeless;
    private long hopelessSinceNanos;

    Opening(Leadership leadership) {
        super(leadership);
        this.generation = leadership.configs().newest().getGeneration();
    }

    @Override
    LeaderPhase phase() {
        return LeaderPhase.OPENING;
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
        answers.put(answer.walId(), answer);
        // Not placed yet: that needs the log that is still to be chosen.
        voter.mode = VoterProgress.Mode.PROBE;
        Answer best = answer;
        for (Answer each : answers.values()) {
            best = leadership.rules.prefers(each, best) ? each : best;
        }
        leadership.voters.install(best.config());
        int counted = 0;
        for (VoterProgress member : leadership.voters.members()) {
            Answer answered = answers.get(member.walId);
            counted += answered != null && !answered.learner() ? 1 : 0;
        }
        // PD has seen its config committed: a log without it is not the newest.
        boolean known = best.config().getGeneration() >= generation;
        if (known && counted > leadership.voters.members().size() / 2) {
            leadership.adoptLog(best, answers.values());
            return new Completing(leadership);
        }
        askOthers(now);
        return this;
    }

    /**
     * Members that may have lost what they had acknowledged are brought up to date by a leader, and
     * there will be none while they are half of the members or more.
     */
    @Override
    LeaderState onTick(Clock.Reading now) {
        int members = leadership.voters.members().size();
        int lost = 0;
        for (VoterProgress member : leadership.voters.members()) {
            Answer answered = answers.get(member.walId);
            lost += answered != null && answered.learner() ? 1 : 0;
        }
        boolean none = members - lost <= members / 2;
        if (none && !hopeless) {
            hopelessSinceNanos = now.monotonicNanos();
        }
        hopeless = none;
        // A log that names other voters may still be heard of.
        boolean patient = now.monotonicNanos() - hopelessSinceNanos <= 2 * leadership.leaseNanos();
        return !hopeless || patient
                ? this
                : new Ended(
                        leadership,
                        LeaderPhase.FAILED,
                        lost
                                + " of "
                                + members
                                + " voters have lost, through damage on their disks, what they may"
                                + " have acknowledged");
    }

    /** A log may have named voters that were not known before. */
    private void askOthers(Clock.Reading now) {
        for (VoterProgress voter : leadership.voters.members()) {
            if (!voter.opened() && voter.idle() && voter.ready(now.monotonicNanos())) {
                leadership.open(voter, now);
            }
        }
    }

    @Override
    Iterable<VoterProgress> correspondents() {
        return List.copyOf(leadership.voters.all());
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
