package io.tidekv.compute.tablet.garbage;

import io.tidekv.compute.engine.Cf;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the rows of a column family in the order of their keys, which tells what nobody can
 * read any more. Whatever part of its deletions has been applied, in their order, no permitted
 * reader sees a difference. Belongs to one thread.
 */
public interface Sweep {
    /** Which rows it is to be shown. */
    Cf cf();

    /** The first of them; null: from the beginning. */
    default byte @Nullable [] from() {
        return null;
    }

    /** The end of them, exclusive; null: to the end. */
    default byte @Nullable [] to() {
        return null;
    }

    /**
     * Takes the next row and adds deletions, perhaps of rows before it.
     *
     * @throws io.tidekv.common.codec.CodecException when the row is not of the format that it must
     *     have
     */
    void row(byte[] key, byte[] value, Deletions out);

    /** There are no more rows. */
    default void finish(Deletions out) {}

    /** Rows that deletions have been made for. */
    long dropped();

    /** Rows that a later pass with a higher safe point may drop. */
    default long later() {
        return 0;
    }

    /**
     * Second from which on a good share of what ends by time has ended; MAX_VALUE: nothing does.
     */
    default long endsAtSeconds() {
        return Long.MAX_VALUE;
    }
}
