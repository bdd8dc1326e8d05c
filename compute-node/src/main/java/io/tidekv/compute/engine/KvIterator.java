package io.tidekv.compute.engine;

/** Walks a column family in key order. A failed read throws; it never looks like the end. */
public interface KvIterator extends AutoCloseable {
    /** To the first key at or after {@code key}. */
    void seek(byte[] key);

    /** To the last key at or before {@code key}. */
    void seekForPrev(byte[] key);

    void seekToFirst();

    void seekToLast();

    boolean isValid();

    void next();

    void prev();

    /** The current key; a copy. Only when valid. */
    byte[] key();

    /** The current value; a copy. Only when valid. */
    byte[] value();

    @Override
    void close();
}
