package io.tidekv.compute.region.core;

/** Where a leader is in its life; it only moves forward, and may skip. */
public enum LeaderPhase {
    /** Asks the voters for the region; has no majority yet. */
    OPENING,
    /** Owns the region; the no-op of its term is not committed yet. */
    COMPLETING,
    /** Takes proposals. */
    LEADING,
    /** Takes no proposals and no reads any more; waits for what is under way, then releases. */
    RELEASING,
    /** A majority knows that the term is over. */
    RELEASED,
    /** Another term is in force: what was not committed has an unknown fate. */
    FENCED,
    /** The log cannot be completed or continued in this term; a new term may do better. */
    FAILED
}
