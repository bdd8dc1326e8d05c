package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.deadlock.DeadlockDetector;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.compute.deadlock.WaitEntries;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.txn.Released;
import io.tidekv.proto.deadlock.WaitForEntry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Requests that wait for a pessimistic lock, by key, the oldest transaction first. When the key is
 * released the first goes on; if its mode is the normal one, the others follow a little later, up
 * to one that forces its lock: they will have to try again anyway. Every wait ends after its
 * timeout at the latest. Nobody blocks: a wait is a future, completed on the workers. Thread-safe.
 */
final class LockWaits implements AutoCloseable {
    /** TiKV's {@code wake-up-delay-duration}. */
    private static final Duration WAKE_REST_AFTER = Duration.ofMillis(20);

    private static final Duration RETRY_COMPLETION = Duration.ofMillis(5);

    private final int waitingMax;
    private final Clock clock;
    private final Scheduler scheduler;
    private final Executor workers;
    private final DeadlockDetector detector;

    // Guarded by this.
    private final Map<TxnKey, TreeSet<Waiter>> queues = new HashMap<>();
    private int waiting;
    private long nextSeq;

    LockWaits(
            int waitingMax,
            Clock clock,
            Scheduler scheduler,
            Executor workers,
            DeadlockDetector detector) {
        this.waitingMax = waitingMax;
        this.clock = clock;
        this.scheduler = scheduler;
        this.workers = workers;
        this.detector = detector;
    }

    /** How a wait ended. */
    sealed interface End {
        /** The lock went away. */
        record Woken(Released by) implements End {}

        /** The lock that it met at last stayed. */
        record TimedOut(TxnError.Locked by) implements End {}

        /** The wait would never have ended: all waits of the circle, this one last. */
        record Circle(List<Wait> waits) implements End {}
    }

    /** One request that waits for one key. */
    final class Waiter {
        private final TxnKey key;
        private final long startTs;
        private final boolean force;
        private final ByteString tag;
        private final long seq;
        private final long sinceNanos;
        private final CompletableFuture<End> end = new CompletableFuture<>();
        private volatile TxnError.Locked by;
        private volatile Wait wait;
        private boolean left;
        private boolean told;
        private Scheduler.@Nullable Cancellable timer;

        private Waiter(
                TxnKey key,
                TxnError.Locked by,
                long startTs,
                boolean force,
                ByteString tag,
                long seq) {
            this.key = key;
            this.by = by;
            this.startTs = startTs;
            this.force = force;
            this.tag = tag;
            this.seq = seq;
            sinceNanos = clock.monotonicNanos();
            wait = new Wait(startTs, by.lock().startTs(), key.raw(), tag);
        }

        CompletableFuture<End> end() {
            return end;
        }
    }

    /**
     * Begins a wait; must be called under the key's latch, so that no release is missed.
     *
     * @return null when too many wait already
     */
    @Nullable Waiter enter(
            TxnError.Locked by, long startTs, boolean force, ByteString tag, Duration timeout) {
        Waiter waiter;
        Wait begun;
        synchronized (this) {
            if (waiting >= waitingMax) {
                return null;
            }
            waiter = new Waiter(TxnKey.of(by.key()), by, startTs, force, tag, nextSeq++);
            begun = waiter.wait;
            queues.computeIfAbsent(waiter.key, key -> new TreeSet<>(oldestFirst())).add(waiter);
            waiting++;
            waiter.timer =
                    scheduler.after(timeout, () -> finish(waiter, new End.TimedOut(waiter.by)));
        }
        detect(waiter, begun);
        return waiter;
    }

    /** Locks are gone: the batch that removed them has been applied. */
    void released(List<Released> locks) {
        for (Released lock : locks) {
            Waiter first;
            boolean more;
            synchronized (this) {
                TreeSet<Waiter> queue = queues.get(lock.key());
                if (queue == null) {
                    continue;
                }
                first = queue.first();
                leave(first);
                more = queues.containsKey(lock.key());
            }
            complete(first, new End.Woken(lock));
            if (more && !first.force) {
                scheduler.after(WAKE_REST_AFTER, () -> wakeRest(lock));
            }
        }
    }

    private void wakeRest(Released lock) {
        List<Waiter> woken = new ArrayList<>();
        synchronized (this) {
            TreeSet<Waiter> queue = queues.get(lock.key());
            while (queue != null && !queue.isEmpty()) {
                Waiter next = queue.first();
                leave(next);
                woken.add(next);
                if (next.force) {
                    break;
                }
            }
        }
        woken.forEach(each -> complete(each, new End.Woken(lock)));
    }

    /** A key has been locked: those who still wait for it now wait for that transaction. */
    void acquired(TxnKey key, LockRecord lock) {
        List<Waiter> rest;
        synchronized (this) {
            TreeSet<Waiter> queue = queues.get(key);
            if (queue == null) {
                return;
            }
            rest = List.copyOf(queue);
        }
        for (Waiter waiter : rest) {
            Wait before;
            Wait now = new Wait(waiter.startTs, lock.startTs(), key.raw(), waiter.tag);
            synchronized (this) {
                if (waiter.left || waiter.startTs == lock.startTs()) {
                    continue;
                }
                before = waiter.wait;
                waiter.by = new TxnError.Locked(key.raw(), lock);
                if (before.holder() == now.holder()) {
                    continue;
                }
                waiter.wait = now;
            }
            detector.leave(before);
            detect(waiter, now);
        }
    }

    synchronized boolean isWaitedFor(TxnKey key) {
        return !queues.isEmpty() && queues.containsKey(key);
    }

    /** Everybody who waits and whom the detector knows, for people who look into a cluster. */
    synchronized List<WaitForEntry> entries() {
        long now = clock.monotonicNanos();
        List<WaitForEntry> entries = new ArrayList<>();
        for (TreeSet<Waiter> queue : queues.values()) {
            for (Waiter waiter : queue) {
                if (!waiter.told) {
                    continue;
                }
                long millis = Duration.ofNanos(now - waiter.sinceNanos).toMillis();
                entries.add(WaitEntries.entry(waiter.wait).toBuilder().setWaitTime(millis).build());
            }
        }
        return entries;
    }

    /**
     * Tells the detector outside the lock, so that somebody else may have ended or replaced the
     * wait before it was entered: then it is taken back here.
     */
    @SuppressWarnings("ReferenceEquality") // an equal wait may have been told for a second time
    private void detect(Waiter waiter, Wait wait) {
        detector.enter(wait, circle -> finish(waiter, new End.Circle(circle)));
        boolean over;
        synchronized (this) {
            waiter.told = true;
            over = waiter.left || waiter.wait != wait;
        }
        if (over) {
            detector.leave(wait);
        }
    }

    private void finish(Waiter waiter, End end) {
        synchronized (this) {
            if (waiter.left) {
                return;
            }
            leave(waiter);
        }
        complete(waiter, end);
    }

    private void leave(Waiter waiter) {
        waiter.left = true;
        waiting--;
        TreeSet<Waiter> queue = queues.get(waiter.key);
        if (queue != null) {
            queue.remove(waiter);
            if (queue.isEmpty()) {
                queues.remove(waiter.key);
            }
        }
    }

    private void complete(Waiter waiter, End end) {
        if (waiter.timer != null) {
            waiter.timer.cancel();
        }
        detector.leave(waiter.wait);
        try {
            workers.execute(() -> waiter.end.complete(end));
        } catch (RejectedExecutionException e) {
            scheduler.after(RETRY_COMPLETION, () -> waiter.end.complete(end));
        }
    }

    private static Comparator<Waiter> oldestFirst() {
        return (a, b) -> {
            int byStart = Long.compareUnsigned(a.startTs, b.startTs);
            return byStart == 0 ? Long.compare(a.seq, b.seq) : byStart;
        };
    }

    /** Ends all waits. */
    @Override
    public void close() {
        List<Waiter> all = new ArrayList<>();
        synchronized (this) {
            queues.values().forEach(all::addAll);
        }
        all.forEach(waiter -> finish(waiter, new End.TimedOut(waiter.by)));
    }
}
