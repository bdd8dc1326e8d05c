package io.tidekv.compute.engine;

import org.jspecify.annotations.Nullable;

/**
 * A consistent view of one region at one applied index. Keys are as stored, without RocksDB's own
 * additions. Reads outside the region's range see nothing. One thread at a time; reads may block
 * while objects are fetched and throw {@link io.tidekv.common.error.KvException}
 * (RegionUnavailable) when that fails.
 */
public interface KvSnapshot extends AutoCloseable {
    /** The value, or null when there is none. */
    byte @Nullable [] get(Cf cf, byte[] key);

    /**
     * An iterator over keys in {@code [lower, upper)}; null bounds mean the region's own. It starts
     * unpositioned and must be closed before the snapshot.
     */
    KvIterator iterator(Cf cf, byte @Nullable [] lower, byte @Nullable [] upper);

    /**
     * Whether a read may have to wait for objects. False lets callers read on a thread that must
     * not wait; it must then hold for the life of the snapshot.
     */
    default boolean mayBlock() {
        return true;
    }

    /**
     * Whether reads from now on wait for objects, as they do at first; else they throw {@link
     * WouldBlock} where they would have to, and never wait. For iterators that are made afterwards.
     */
    default void waits(boolean waits) {
        if (!waits && mayBlock()) {
            throw new WouldBlock();
        }
    }

    @Override
    void close();
}
