package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/** Takes proposals, and reads under a lease or a confirmation. */
final class Leading extends Owning {
    Leading(Leadership leadership) {
        super(leadership);
    }

    @Override
    void work(Clock.Reading now) {
        leadership.changes.step(now);
    }

    @Override
    LeaderPhase phase() {
        return LeaderPhase.LEADING;
    }
}
