package io.tidekv.common.history;

/** What a client knows about the end of its transaction. */
public enum Fate {
    COMMITTED,
    ABORTED,
    /** It asked for the commit and never heard. */
    UNKNOWN
}
