package io.tidekv.wal.core;

import org.jspecify.annotations.Nullable;

/**
 * The promise of one voter to its owner. It runs until the later of what the region's own rounds
 * asked for and, while the region is a member, what its session has.
 */
final class RegionLease {
    private final VoterRules rules;
    private final long regionId;
    private long ownUntilNanos;
    private @Nullable Session session;

    RegionLease(VoterRules rules, long regionId, long ownUntilNanos) {
        this.rules = rules;
        this.regionId = regionId;
        this.ownUntilNanos = ownUntilNanos;
    }

    long untilNanos() {
        Session joined = session;
        return joined == null ? ownUntilNanos : Leases.later(ownUntilNanos, joined.untilNanos());
    }

    boolean runs(long nowNanos) {
        return rules.runs(untilNanos(), nowNanos);
    }

    /** An accepted round of the region itself: promises until then, and joins. */
    void grant(Session joined, long untilNanos) {
        ownUntilNanos = Leases.later(ownUntilNanos, untilNanos);
        session = joined;
        joined.joined(regionId);
    }

    /** A higher term waits: the promise stands as it is and nothing extends it. */
    void freeze(long pendingTerm) {
        if (!rules.pendingStopsLease()) {
            return;
        }
        Session joined = session;
        if (joined != null) {
            ownUntilNanos = untilNanos();
            joined.stopExtending(regionId, pendingTerm);
            session = null;
        }
    }

    /** Ends the promise: by the owner's release, or because it lapsed and another takes over. */
    void end(long nowNanos) {
        ownUntilNanos = nowNanos;
        session = null;
    }
}
