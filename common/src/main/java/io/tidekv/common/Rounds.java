package io.tidekv.common;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Events that are handled in rounds, one round at a time and in the order of arrival. A round
 * belongs to whoever has the turn: a thread of its own, or, while rounds are short, the thread that
 * has brought an event and can wait that long, which saves two changes of thread. Thread-safe.
 *
 * <p>The queue has no bound: those who bring events have theirs.
 */
public final class Rounds {
    /** What a round does. Called by who has the turn, so it needs no lock of its own. */
    public interface Work {
        /**
         * One round.
         *
         * @param events what has come
         * @param own whether this is the thread of the rounds: another one is to be kept for as
         *     short a time as can be
         */
        void round(Events events, boolean own);

        /** When the next round is wanted if nothing comes, in nanoseconds from now. */
        long nanosToNext();

        /** What {@link #round} has thrown; there are no more rounds. */
        void failed(Throwable cause);
    }

    /** The events of a round. */
    public interface Events {
        /** Takes the oldest; null when there is none. */
        @Nullable Runnable poll();
    }

    /** A round that took no longer lets the next one be run by another thread. */
    private static final long LIGHT_NANOS = 1_000_000;

    private final Work work;
    private final LongSupplier nanos;
    private final ReentrantLock turn = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    // Guarded by lock.
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private boolean wanted;
    private boolean scheduled;
    private volatile boolean stopped;
    private volatile boolean light;

    /** {@code nanos} is a monotonic clock. */
    public Rounds(Work work, LongSupplier nanos) {
        this.work = work;
        this.nanos = nanos;
    }

    /** Starts the thread of the rounds. */
    public Thread start(String name) {
        return Threads.start(name, this::run);
    }

    /** Adds an event for the own thread. */
    public void execute(Runnable event) {
        lock.lock();
        try {
            queue.add(event);
            wanted = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Adds an event. While rounds are short {@code here}, which belongs to the calling thread, runs
     * the round as its next task.
     */
    public void execute(Runnable event, @Nullable Executor here) {
        if (here == null) {
            execute(event);
        } else if (addFor(event)) {
            here.execute(this::runHere);
        }
    }

    /** Whether a task of another thread is to be made for the event. */
    private boolean addFor(Runnable event) {
        lock.lock();
        try {
            queue.add(event);
            if (!light || wanted) {
                // What the own thread is woken for may take long.
                wanted = true;
                arrived.signal();
                return false;
            }
            boolean first = !scheduled;
            scheduled = true;
            return first;
        } finally {
            lock.unlock();
        }
    }

    /** No more rounds than the one that is being run. */
    public void stop() {
        stopped = true;
        wake(true);
    }

    private void run() {
        try {
            while (await(nanosToNext())) {
                round(true);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long nanosToNext() {
        turn.lock();
        try {
            return work.nanosToNext();
        } finally {
            turn.unlock();
        }
    }

    private boolean await(long patience) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = patience;
            while (!stopped && !wanted && (queue.isEmpty() || scheduled) && left > 0) {
                left = arrived.awaitNanos(left);
            }
            wanted = false;
            scheduled = false;
            return !stopped;
        } finally {
            lock.unlock();
        }
    }

    private void runHere() {
        if (claim() && !turn.hasQueuedThreads() && turn.tryLock()) {
            try {
                if (!stopped) {
                    round(false);
                }
            } finally {
                turn.unlock();
            }
        }
        wake(false);
    }

    /** False when the own thread is about to run. */
    private boolean claim() {
        lock.lock();
        try {
            scheduled = false;
            return !wanted;
        } finally {
            lock.unlock();
        }
    }

    private void wake(boolean anyway) {
        lock.lock();
        try {
            wanted |= anyway;
            if (wanted || !queue.isEmpty()) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void round(boolean own) {
        turn.lock();
        try {
            long start = nanos.getAsLong();
            work.round(this::poll, own);
            light = nanos.getAsLong() - start < LIGHT_NANOS;
            if (!own && work.nanosToNext() <= 0) {
                wake(true);
            }
        } catch (RuntimeException | Error e) {
            stopped = true;
            work.failed(e);
        } finally {
            turn.unlock();
        }
    }

    private @Nullable Runnable poll() {
        lock.lock();
        try {
            // Whatever the own thread was woken for has been taken.
            wanted &= !queue.isEmpty();
            return queue.poll();
        } finally {
            lock.unlock();
        }
    }
}
