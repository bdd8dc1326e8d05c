package io.tidekv.compute.deadlock;

import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Detects deadlocks among the waits of all stores: circles within this store at once, others
 * through the detector. A session with it is opened when somebody waits; when one ends, the waits
 * that are still there are told again in the next. Thread-safe; does not block.
 */
public final class ClusterDetector implements DeadlockDetector, AutoCloseable {
    private static final Duration AGAIN = Duration.ofMillis(200);
    private static final int WAITS_MAX = 100_000;

    private final DetectorLink link;
    private final Scheduler scheduler;

    // All below is guarded by this.
    private final DeadlockGraph own = new DeadlockGraph(WAITS_MAX);
    private final Map<Wait, List<Consumer<List<Wait>>>> waiting = new LinkedHashMap<>();
    private @Nullable Attempt current;
    private boolean pausing;
    private boolean closed;

    public ClusterDetector(DetectorLink link, Scheduler scheduler) {
        this.link = link;
        this.scheduler = scheduler;
    }

    @Override
    public void enter(Wait wait, Consumer<List<Wait>> circle) {
        List<Wait> found;
        synchronized (this) {
            found = own.enter(wait);
            if (found.isEmpty()) {
                waiting.computeIfAbsent(wait, each -> new ArrayList<>(1)).add(circle);
                if (current == null) {
                    open();
                } else if (current.ready && !current.session().enter(wait)) {
                    giveUp(current);
                }
            }
        }
        if (!found.isEmpty()) {
            circle.accept(found);
        }
    }

    @Override
    public synchronized void leave(Wait wait) {
        List<Consumer<List<Wait>>> told = waiting.get(wait);
        if (told == null) {
            return;
        }
        told.remove(told.size() - 1);
        if (told.isEmpty()) {
            waiting.remove(wait);
        }
        own.leave(wait);
        if (current != null && current.ready && !current.session().leave(wait)) {
            giveUp(current);
        }
    }

    private void open() {
        if (closed || pausing) {
            return;
        }
        Attempt attempt = new Attempt();
        current = attempt;
        attempt.session = link.open(attempt);
    }

    private void giveUp(Attempt attempt) {
        attempt.session().close();
        ended(attempt);
    }

    /** The next session after a pause, if anybody waits by then. */
    private void ended(Attempt attempt) {
        if (current != attempt) {
            return;
        }
        current = null;
        if (!closed) {
            pausing = true;
            scheduler.after(AGAIN, this::resume);
        }
    }

    private synchronized void resume() {
        pausing = false;
        if (current == null && !waiting.isEmpty()) {
            open();
        }
    }

    /** Tells the detector nothing more. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            if (current != null) {
                current.session().close();
                current = null;
            }
        }
        link.close();
    }

    /** One session, from the search for the detector to its end. */
    private final class Attempt implements DetectorLink.Listener {
        private DetectorLink.@Nullable Session session;
        private boolean ready;

        private DetectorLink.Session session() {
            DetectorLink.Session opened = session;
            if (opened == null) {
                throw new IllegalStateException("a link has called back before it returned");
            }
            return opened;
        }

        @Override
        public void onReady() {
            synchronized (ClusterDetector.this) {
                if (current != this) {
                    return;
                }
                ready = true;
                for (Wait wait : List.copyOf(waiting.keySet())) {
                    if (!session().enter(wait)) {
                        giveUp(this);
                        return;
                    }
                }
            }
        }

        @Override
        public void onCircle(List<Wait> circle) {
            List<Consumer<List<Wait>>> told;
            synchronized (ClusterDetector.this) {
                Wait last = circle.get(circle.size() - 1);
                told = List.copyOf(waiting.getOrDefault(last, List.of()));
            }
            told.forEach(each -> each.accept(circle));
        }

        @Override
        public void onEnd() {
            synchronized (ClusterDetector.this) {
                ended(this);
            }
        }
    }
}
