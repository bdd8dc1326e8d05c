package io.tidekv.pd.core;

import io.tidekv.common.Invariants;

/**
 * Ids of stores, WAL nodes, regions and peers come from one sequence, incarnations from another.
 * None is ever given twice.
 */
final class Ids {
    private long next;
    private long nextIncarnation;

    Ids(long next, long nextIncarnation) {
        Invariants.check(next > 0 && nextIncarnation > 0, "ids start at 1");
        this.next = next;
        this.nextIncarnation = nextIncarnation;
    }

    long take() {
        return take(1);
    }

    /** Takes {@code count} ids in a row and returns the first. */
    long take(int count) {
        Invariants.check(count > 0, "cannot take %d ids", count);
        long first = next;
        next += count;
        return first;
    }

    long takeIncarnation() {
        return nextIncarnation++;
    }

    /** Gives no id and no incarnation below these any more. */
    void skipTo(long id, long incarnation) {
        next = Math.max(next, id);
        nextIncarnation = Math.max(nextIncarnation, incarnation);
    }

    /** True when the id has been given out before. */
    boolean known(long id) {
        return id > 0 && id < next;
    }

    boolean incarnationKnown(long incarnation) {
        return incarnation > 0 && incarnation < nextIncarnation;
    }

    long next() {
        return next;
    }

    long nextIncarnation() {
        return nextIncarnation;
    }
}
