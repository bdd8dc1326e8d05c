package io.tidekv.compute.deadlock;

import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The graph of all stores' waits, kept by the store that leads the first region. What a session has
 * told goes with it. Bounded: what does not fit is not entered, and a circle with it ends with the
 * timeout of a wait. Thread-safe.
 */
public final class DetectorTable {
    private static final int WAITS_MAX = 100_000;
    private static final long BYTES_MAX = 32 << 20;
    private static final Duration CHECK_ROLE = Duration.ofMillis(200);

    private final BooleanSupplier isDetector;
    private final Scheduler scheduler;

    // All below is guarded by this.
    private final DeadlockGraph graph = new DeadlockGraph(WAITS_MAX);
    private final Set<Session> sessions = new LinkedHashSet<>();
    private long bytes;
    private boolean checking;

    /**
     * @param isDetector whether this store leads the first region; asked at the beginning of a
     *     session and five times a second while there is one
     */
    public DetectorTable(BooleanSupplier isDetector, Scheduler scheduler) {
        this.isDetector = isDetector;
        this.scheduler = scheduler;
    }

    /**
     * Begins a session; null when this store is not the detector.
     *
     * @param onEnd run once when this store stops being the detector; not after a close
     */
    public @Nullable Session open(Runnable onEnd) {
        if (!isDetector.getAsBoolean()) {
            return null;
        }
        Session session = new Session(onEnd);
        synchronized (this) {
            sessions.add(session);
            if (!checking) {
                checking = true;
                scheduler.after(CHECK_ROLE, this::checkRole);
            }
        }
        return session;
    }

    /** Waits that are known at present. */
    public synchronized int size() {
        return graph.size();
    }

    private void checkRole() {
        boolean still = isDetector.getAsBoolean();
        List<Session> over = List.of();
        synchronized (this) {
            if (!still) {
                over = List.copyOf(sessions);
                over.forEach(Session::drop);
            }
            checking = !sessions.isEmpty();
            if (checking) {
                scheduler.after(CHECK_ROLE, this::checkRole);
            }
        }
        over.forEach(session -> session.onEnd.run());
    }

    private static long bytesOf(Wait wait) {
        return 128L + wait.key().size() + wait.tag().size();
    }

    /** What one store tells. */
    public final class Session {
        private final Runnable onEnd;
        private final Map<Wait, Integer> entered = new LinkedHashMap<>();

        private Session(Runnable onEnd) {
            this.onEnd = onEnd;
        }

        /** The circle that the wait would close, itself last; empty when there is none. */
        public List<Wait> enter(Wait wait) {
            synchronized (DetectorTable.this) {
                if (!sessions.contains(this) || bytes + bytesOf(wait) > BYTES_MAX) {
                    return List.of();
                }
                int before = graph.size();
                List<Wait> circle = graph.enter(wait);
                if (graph.size() > before) {
                    bytes += bytesOf(wait);
                    entered.merge(wait, 1, Integer::sum);
                }
                return circle;
            }
        }

        public void leave(Wait wait) {
            synchronized (DetectorTable.this) {
                Integer times = entered.get(wait);
                if (times == null) {
                    return;
                }
                if (times > 1) {
                    entered.put(wait, times - 1);
                } else {
                    entered.remove(wait);
                }
                forget(wait);
            }
        }

        /** All waits of a transaction are over. */
        public void leaveAll(long waiter) {
            synchronized (DetectorTable.this) {
                for (Wait wait : List.copyOf(entered.keySet())) {
                    if (wait.waiter() == waiter) {
                        forgetAll(wait);
                    }
                }
            }
        }

        public void close() {
            synchronized (DetectorTable.this) {
                drop();
            }
        }

        private void drop() {
            new ArrayList<>(entered.keySet()).forEach(this::forgetAll);
            sessions.remove(this);
        }

        private void forgetAll(Wait wait) {
            Integer times = entered.remove(wait);
            for (int i = 0; times != null && i < times; i++) {
                forget(wait);
            }
        }

        private void forget(Wait wait) {
            graph.leave(wait);
            bytes -= bytesOf(wait);
        }
    }
}
