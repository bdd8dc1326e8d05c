package io.tidekv.compute.tablet;

/** The last log entry that a tablet contains. Index 0 and term 0: none. */
public record AppliedMark(long index, long term) {
    public static final AppliedMark NONE = new AppliedMark(0, 0);
}
