package io.tidekv.compute.region.core;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The voters of a region and what majorities of them have. */
final class Voters {
    private final TreeMap<Long, VoterProgress> known = new TreeMap<>();
    private final Set<Long> connected = new TreeSet<>();
    private List<VoterProgress> members = List.of();
    private List<VoterProgress> replicas = List.of();
    private @Nullable VoterProgress learner;
    private long[] scratch = new long[0];

    Voters(VoterConfig config) {
        install(config);
    }

    /** Puts a config in force. */
    void install(VoterConfig installed) {
        Invariants.check(installed.getWalIdsCount() > 0, "a config without voters");
        List<VoterProgress> in = new ArrayList<>();
        for (long walId : installed.getWalIdsList()) {
            in.add(know(walId));
        }
        members = in;
        scratch = new long[in.size()];
        stopLearning();
    }

    /** A node that may have to do with the region. */
    VoterProgress know(long walId) {
        VoterProgress voter = known.get(walId);
        if (voter == null) {
            voter = new VoterProgress(walId);
            voter.connected = connected.contains(walId);
            known.put(walId, voter);
        }
        return voter;
    }

    /** The node is sent the log, and does not count. One at a time. */
    VoterProgress learn(long walId) {
        VoterProgress now = know(walId);
        if (now != learner) {
            learner = now;
            replicas = new ArrayList<>(members);
            replicas.add(now);
        }
        return now;
    }

    void stopLearning() {
        learner = null;
        replicas = members;
    }

    @Nullable VoterProgress learner() {
        return learner;
    }

    boolean isMember(VoterProgress voter) {
        return members.contains(voter);
    }

    /** The members and the learner: all that are sent the log. */
    List<VoterProgress> replicas() {
        return replicas;
    }

    /** Nodes that are known and are not to have anything of the region. */
    List<VoterProgress> strangers() {
        if (known.size() == replicas.size()) {
            return List.of();
        }
        List<VoterProgress> strangers = new ArrayList<>(known.values());
        strangers.removeAll(replicas);
        return strangers;
    }

    void forget(VoterProgress stranger) {
        known.remove(stranger.walId);
    }

    /** The voters that count, in the order of the config. */
    List<VoterProgress> members() {
        return members;
    }

    /** Members, the learner, and strangers. */
    Collection<VoterProgress> all() {
        return known.values();
    }

    @Nullable VoterProgress get(long walId) {
        return known.get(walId);
    }

    @Nullable VoterProgress connect(long walId) {
        connected.add(walId);
        VoterProgress voter = known.get(walId);
        if (voter != null) {
            voter.connect();
        }
        return voter;
    }

    @Nullable VoterProgress disconnect(long walId) {
        connected.remove(walId);
        return known.get(walId);
    }

    int count(Predicate<VoterProgress> predicate) {
        int count = 0;
        for (VoterProgress voter : members) {
            if (predicate.test(voter)) {
                count++;
            }
        }
        return count;
    }

    /** The highest index that {@code quorum} members have durably. */
    long matchedBy(int quorum) {
        for (int i = 0; i < scratch.length; i++) {
            VoterProgress voter = members.get(i);
            scratch[i] = voter.counts() ? voter.match : 0;
        }
        Arrays.sort(scratch);
        return scratch[scratch.length - quorum];
    }

    /** What every member has durably. */
    long matchedByAll() {
        long least = Long.MAX_VALUE;
        for (VoterProgress voter : members) {
            least = Math.min(least, voter.match);
        }
        return least;
    }

    /**
     * A connected voter other than {@code except} that has the entry, not only a snapshot beyond
     * it: the one that has most. One that has not confirmed on this connection what it had before
     * may have lost it, and is not asked.
     */
    @Nullable VoterProgress source(long index, @Nullable VoterProgress except, long nowNanos) {
        VoterProgress best = null;
        for (VoterProgress voter : known.values()) {
            if (voter != except
                    && voter.mode == VoterProgress.Mode.REPLICATE
                    && voter.ready(nowNanos)
                    && voter.match >= index
                    && voter.snapshotAcked < index
                    && (best == null || voter.match > best.match)) {
                best = voter;
            }
        }
        return best;
    }
}
