package io.tidekv.compute.deadlock;

import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.util.List;
import java.util.function.Consumer;

/** Knows who waits for whom. Thread-safe; does not block. */
public interface DeadlockDetector {
    /**
     * A wait begins.
     *
     * @param circle told, perhaps later and on another thread, when the wait would close a circle,
     *     with all its waits, the new one last; never told otherwise
     */
    void enter(Wait wait, Consumer<List<Wait>> circle);

    /** A wait is over, whether or not it closed a circle. */
    void leave(Wait wait);
}
