package io.tidekv.wal.service;

/** A stream of committed entries that somebody follows. */
public interface Tail extends AutoCloseable {
    /** Says that the sink is ready again. Thread-safe. */
    void wake();

    /** Ends it; thread-safe. */
    @Override
    void close();
}
