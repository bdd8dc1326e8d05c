package io.tidekv.compute.deadlock;

import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.util.List;
import java.util.function.Consumer;

/** Detects deadlocks among the waits that it is told of, in memory. Thread-safe. */
public final class LocalDetector implements DeadlockDetector {
    private static final int WAITS_MAX = 100_000;

    private final DeadlockGraph graph = new DeadlockGraph(WAITS_MAX);

    @Override
    public void enter(Wait wait, Consumer<List<Wait>> circle) {
        List<Wait> found;
        synchronized (this) {
            found = graph.enter(wait);
        }
        if (!found.isEmpty()) {
            circle.accept(found);
        }
    }

    @Override
    public synchronized void leave(Wait wait) {
        graph.leave(wait);
    }
}
