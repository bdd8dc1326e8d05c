package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/**
 * Brings a majority to the end of the adopted log and the no-op behind it. Before that is committed
 * nothing else counts: an older entry on a majority may still be replaced (Raft figure 8).
 */
final class Completing extends Owning {
    private boolean starving;
    private long starvingSinceNanos;

    Completing(Leadership leadership) {
        super(leadership);
    }

    @Override
    LeaderPhase phase() {
        return LeaderPhase.COMPLETING;
    }

    @Override
    void work(Clock.Reading now) {
        if (!leadership.rules.changesAfterOwnCommit()) {
            leadership.changes.step(now);
        }
    }

    @Override
    LeaderState onAcked(Clock.Reading now) {
        leadership.advanceCommit();
        return leadership.ownTermCommitted() ? new Leading(leadership) : this;
    }

    /**
     * The only voter with the end of the log may go away for good. The others are a majority
     * without it, but adopting their log needs a new term: this one's no-op may be on that voter's
     * disk.
     */
    @Override
    LeaderState onTick(Clock.Reading now) {
        boolean starved = leadership.replicator.catchUp.starving(now) != null;
        if (starved && !starving) {
            starvingSinceNanos = now.monotonicNanos();
        }
        starving = starved;
        long patienceNanos = 2 * leadership.options.leaseMs() * 1_000_000L;
        if (starved && now.monotonicNanos() - starvingSinceNanos > patienceNanos) {
            return new Ended(
                    leadership,
                    LeaderPhase.FAILED,
                    "the voter with the end of the log cannot be reached");
        }
        return super.onTick(now);
    }
}
