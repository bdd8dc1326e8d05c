package io.tidekv.wal.core;

/**
 * The decisions of a voter that safety hangs on, each in a method of its own so that the simulation
 * can prove that it notices when one of them is wrong. Production uses {@link #RIGHT} only.
 */
public class VoterRules {
    /** The protocol as documented. */
    public static final VoterRules RIGHT = new VoterRules();

    protected VoterRules() {}

    /** Whether an Open of the voter's own term repeats the Open that set it. */
    public boolean isRetransmit(boolean sameIncarnation, boolean termHasEntries) {
        return sameIncarnation && !termHasEntries;
    }

    /** Whether a lease that ends at {@code untilNanos} still runs. */
    public boolean runs(long untilNanos, long nowNanos) {
        return untilNanos - nowNanos > 0;
    }

    /** Whether a session whose lease has lapsed may be renewed. */
    public boolean mayRevive() {
        return false;
    }

    /** How long a restarted voter refuses other owners. */
    public long restartWaitMs(long longestLeaseMs) {
        return longestLeaseMs;
    }

    /** Whether a pending term keeps the lease of the present owner from being extended. */
    public boolean pendingStopsLease() {
        return true;
    }

    /**
     * Whether an order to forget was given before the voter was created as a learner. Within a
     * term, orders are numbered by its leader.
     */
    public boolean isLate(long term, long order, long createdTerm, long createdOrder) {
        return term < createdTerm || (term == createdTerm && order < createdOrder);
    }

    /** Whether an entry that the voter already has is replaced. */
    public boolean replaces(long heldTerm, long offeredTerm) {
        return heldTerm != offeredTerm;
    }
}
