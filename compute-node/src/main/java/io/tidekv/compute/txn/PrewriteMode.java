package io.tidekv.compute.txn;

/** How a transaction means to commit what is prewritten. */
enum PrewriteMode {
    /** Its client commits it later, at a timestamp from PD. */
    TWO_PHASES,
    /** It is committed once all its keys are prewritten, at the highest timestamp answered. */
    ASYNC,
    /** The prewrite itself commits it. */
    ONE_PHASE;

    /** True if the store chooses a timestamp. */
    boolean needsTs() {
        return this != TWO_PHASES;
    }
}
