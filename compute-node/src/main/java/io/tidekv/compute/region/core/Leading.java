package io.tidekv.compute.region.core;

/** Takes proposals, and reads under a lease or a confirmation. */
final class Leading extends Owning {
    Leading(Leadership leadership) {
        super(leadership);
    }

    @Override
    LeaderPhase phase() {
        return LeaderPhase.LEADING;
    }
}
