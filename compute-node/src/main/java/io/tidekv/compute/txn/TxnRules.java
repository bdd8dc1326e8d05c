package io.tidekv.compute.txn;

import io.tidekv.compute.mvcc.Ts;

/**
 * The decisions about commit timestamps on which isolation rests, in one place. A simulation
 * replaces them one by one to prove that it would notice.
 */
public interface TxnRules {
    /** The rules as they are. */
    TxnRules STANDARD = new TxnRules() {};

    /** The lowest timestamp at which a prewrite may commit that chooses it itself. */
    default long commitFloor(long maxTs, long startTs, long forUpdateTs) {
        return Ts.max(Ts.max(maxTs, startTs), forUpdateTs) + 1;
    }

    /** Whether a read at a timestamp keeps later commits above it. */
    default boolean readsRaiseMaxTs() {
        return true;
    }

    /** Whether readers look at the locks of prewrites under way. */
    default boolean readersSeeMemoryLocks() {
        return true;
    }

    /** Whether those locks stand until the prewrite is applied. */
    default boolean memoryLocksLast() {
        return true;
    }

    /** Whether a new owner takes a timestamp from PD before it chooses commit timestamps. */
    default boolean ownersTakeTimestamp() {
        return true;
    }
}
