package io.tidekv.compute.txn;

import java.util.ArrayList;
import java.util.List;

/**
 * The memory locks of one command. They stand from the choice of its minimum commit timestamp until
 * its batch is applied or has failed. One thread at a time.
 */
public final class MemoryLocks implements AutoCloseable {
    /** Of a command that has none. */
    public static final MemoryLocks NONE = new MemoryLocks();

    private final List<Runnable> removals = new ArrayList<>();

    MemoryLocks() {}

    void add(Runnable removal) {
        removals.add(removal);
    }

    boolean isEmpty() {
        return removals.isEmpty();
    }

    /** Removes them; repeating it does nothing. */
    @Override
    public void close() {
        if (!removals.isEmpty()) {
            removals.forEach(Runnable::run);
            removals.clear();
        }
    }
}
