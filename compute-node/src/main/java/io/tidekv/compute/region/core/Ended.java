package io.tidekv.compute.region.core;

/** The term is over for this leader; nothing is sent any more. */
final class Ended extends LeaderState {
    private final LeaderPhase phase;
    private final String reason;

    Ended(Leadership leadership, LeaderPhase phase, String reason) {
        super(leadership);
        this.phase = phase;
        this.reason = reason;
    }

    @Override
    LeaderPhase phase() {
        return phase;
    }

    @Override
    String reason() {
        return reason;
    }
}
