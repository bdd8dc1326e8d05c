package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.cluster.VoterChangeState;
import io.tidekv.proto.region.VoterConfig;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Changes the voters as PD orders: one node more or one less. A node that is added gets the log
 * first; then the config goes through the log and is in force from its append on. Whoever a
 * committed config leaves out is told to forget the region.
 *
 * <p>Two configs that follow one another share a voter in any two of their majorities. That holds
 * for neighbours only, so each must be committed before the next is proposed; and as a leader may
 * find a config in its log that a majority never saw, none is proposed before the leader's own
 * no-op is committed (Raft's thesis 4.1, and the bug in it that was found later).
 */
final class VoterChanges {
    private final Leadership leadership;
    private @Nullable VoterConfig target;
    private String refusal = "";
    private long goal;
    private long roundNanos;
    private boolean roundRuns;

    VoterChanges(Leadership leadership) {
        this.leadership = leadership;
    }

    /** Takes PD's order, which may come again, late, or instead of another one. */
    void order(VoterConfig ordered, Collection<Long> retire) {
        for (long walId : retire) {
            leadership.voters.know(walId);
        }
        VoterConfig inForce = leadership.configs().newest();
        boolean old = ordered.getGeneration() < inForce.getGeneration();
        if (!old && !ordered.equals(target)) {
            target = ordered.equals(inForce) ? null : ordered;
            refusal = "";
            roundRuns = false;
            leadership.voters.stopLearning();
        }
    }

    /** What is under way or was refused; null when there is nothing to say. */
    @Nullable VoterChange progress() {
        VoterConfig wanted = target;
        if (wanted == null) {
            return null;
        }
        VoterProgress learner = leadership.voters.learner();
        boolean logged = wanted.equals(leadership.configs().newest());
        VoterChangeState state =
                logged ? VoterChangeState.COMMITTING : VoterChangeState.CATCHING_UP;
        return VoterChange.newBuilder()
                .setTarget(wanted)
                .setState(refusal.isEmpty() ? state : VoterChangeState.REFUSED)
                .setError(refusal)
                .setMatchedIndex(learner == null ? 0 : learner.match)
                .setLastIndex(leadership.window().lastIndex())
                .build();
    }

    /** Does what can be done now. Only while leading. */
    void step(Clock.Reading now) {
        VoterConfig wanted = target;
        if (wanted != null && refusal.isEmpty()) {
            advance(wanted, now);
        }
        if (leadership.configCommitted()) {
            retireStrangers(now);
        }
    }

    private void advance(VoterConfig wanted, Clock.Reading now) {
        VoterConfig inForce = leadership.configs().newest();
        if (inForce.equals(wanted)) {
            target = leadership.configCommitted() ? null : wanted;
            return;
        }
        if (!leadership.configCommitted() && leadership.rules.oneConfigAtATime()) {
            return;
        }
        refusal = leadership.rules.oneNodeAtATime() ? flaw(inForce, wanted) : "";
        if (!refusal.isEmpty()) {
            leadership.voters.stopLearning();
            return;
        }
        for (long walId : wanted.getWalIdsList()) {
            boolean added = !inForce.getWalIdsList().contains(walId);
            if (added && leadership.voters.know(walId).retiring) {
                // What it had acknowledged may be gone at any moment: it says when.
                return;
            }
            if (added && !caughtUp(leadership.voters.learn(walId), now)) {
                return;
            }
        }
        if (canServe(wanted)) {
            leadership.appendConfig(wanted);
        }
    }

    /** Why a config does not follow another one; empty when it does. */
    static String flaw(VoterConfig inForce, VoterConfig wanted) {
        Set<Long> before = new TreeSet<>(inForce.getWalIdsList());
        Set<Long> after = new TreeSet<>(wanted.getWalIdsList());
        if (wanted.getGeneration() != inForce.getGeneration() + 1) {
            return "generation "
                    + wanted.getGeneration()
                    + " does not follow "
                    + inForce.getGeneration();
        }
        if (after.isEmpty() || after.size() != wanted.getWalIdsCount() || after.contains(0L)) {
            return "the config must name distinct voters";
        }
        boolean one =
                Math.abs(after.size() - before.size()) == 1
                        && (after.containsAll(before) || before.containsAll(after));
        return one ? "" : "exactly one voter can be added or removed: " + before + ", " + after;
    }

    /** Whether the node has had the whole log in one round that took no longer than a lease. */
    private boolean caughtUp(VoterProgress learner, Clock.Reading now) {
        if (!leadership.rules.catchesUpFirst()) {
            return true;
        }
        if (!learner.opened() && learner.idle() && learner.ready(now.monotonicNanos())) {
            leadership.open(learner, now);
        }
        boolean follows =
                learner.opened()
                        && learner.counts()
                        && learner.mode == VoterProgress.Mode.REPLICATE;
        if (!follows) {
            roundRuns = false;
            return false;
        }
        long took = now.monotonicNanos() - roundNanos;
        if (roundRuns && learner.match >= goal && took < leadership.leaseNanos()) {
            return true;
        }
        if (!roundRuns || learner.match >= goal) {
            roundRuns = true;
            goal = leadership.commitIndex();
            roundNanos = now.monotonicNanos();
        }
        return learner.match >= goal;
    }

    /** A change that leaves a minority of reachable voters would stop the region. */
    private boolean canServe(VoterConfig wanted) {
        List<Long> walIds = wanted.getWalIdsList();
        long able =
                walIds.stream()
                        .map(leadership.voters::get)
                        .filter(voter -> voter != null && voter.connected)
                        .filter(voter -> voter.opened() && voter.counts())
                        .count();
        return able > walIds.size() / 2;
    }

    private void retireStrangers(Clock.Reading now) {
        for (VoterProgress voter : leadership.voters.strangers()) {
            if (voter.ready(now.monotonicNanos()) && voter.idle()) {
                voter.retiring = true;
                leadership.requests.retire(
                        voter, leadership.configs().newest().getGeneration(), now);
            }
        }
    }
}
