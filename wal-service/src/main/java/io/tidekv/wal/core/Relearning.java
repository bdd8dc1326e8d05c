package io.tidekv.wal.core;

import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.VoterMeta;

/**
 * How a voter goes on that has lost, through damage on its disk, what it may have acknowledged: as
 * a learner, which counts for nothing until a leader that knows all that is committed has brought
 * it up to date.
 *
 * <p>A voter that may have forgotten a term must not help a lower one: the leader of the higher
 * term may have counted its Open, and never hears of what the lower one commits with it. So such a
 * voter takes the highest term that PD has issued since it stopped answering, as if the owner had
 * opened it; whoever gets a higher one later has not heard from it before.
 */
public final class Relearning {
    private Relearning() {}

    /** The meta of a voter that lacks entries, and nothing else. */
    public static VoterMeta lacking(VoterMeta known) {
        return known.toBuilder().setLearner(true).build();
    }

    /**
     * The meta of a voter that may have forgotten anything since {@code known} was written.
     *
     * @param term the highest that PD has issued for the region, asked after the voter's last
     *     answer; 0 when none
     * @param owner whom it was issued to
     */
    public static VoterMeta forgetful(VoterMeta known, long term, Owner owner) {
        VoterMeta.Builder learner = lacking(known).toBuilder();
        if (term >= known.getTerm()) {
            // The term is one owner's, whether or not the voter remembers that.
            learner.setTerm(term).setOwner(owner);
        }
        if (term > known.getTerm()) {
            learner.setPendingTerm(0).setReleased(false);
        }
        return learner.build();
    }
}
