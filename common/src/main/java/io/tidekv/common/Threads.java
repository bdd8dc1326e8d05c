package io.tidekv.common;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Named daemon threads and bounded pools. What escapes a thread is logged as an error, never lost.
 */
public final class Threads {
    private static final Logger log = LoggerFactory.getLogger(Threads.class);

    private Threads() {}

    /** Threads named {@code name-1}, {@code name-2}, … */
    @SuppressForbidden("the one place where threads are made")
    public static ThreadFactory factory(String name) {
        AtomicLong next = new AtomicLong();
        return task -> {
            Thread thread = new Thread(task, name + "-" + next.incrementAndGet());
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler(
                    (t, e) -> log.error("thread {} died", t.getName(), e));
            return thread;
        };
    }

    /** A started daemon thread. */
    @SuppressForbidden("the one place where threads are made")
    public static Thread start(String name, Runnable task) {
        Thread thread = factory(name).newThread(task);
        thread.start();
        return thread;
    }

    /**
     * A pool of at most {@code threads} with a queue of at most {@code queued}; a full queue
     * rejects with {@link java.util.concurrent.RejectedExecutionException}. Idle threads end after
     * 30 s.
     */
    public static ExecutorService pool(String name, int threads, int queued) {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(
                        threads,
                        threads,
                        30,
                        TimeUnit.SECONDS,
                        new ArrayBlockingQueue<>(queued),
                        factory(name));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** One thread for timers. Tasks must be short; cancelled tasks leave the queue at once. */
    public static ScheduledThreadPoolExecutor timers(String name) {
        ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1, factory(name));
        timers.setRemoveOnCancelPolicy(true);
        timers.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return timers;
    }
}
