package io.tidekv.compute.region;

import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Blocking work on one tablet, such as flushing and uploading: one piece at a time, on a pool;
 * results return to the loop. Belongs to the region's loop.
 */
final class TabletWork {
    private final Executor pool;
    private final Executor loop;
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean busy;

    TabletWork(Executor pool, Executor loop) {
        this.pool = pool;
        this.loop = loop;
    }

    /** Runs {@code job} after those before it; {@code then} gets its result or what it threw. */
    <T> void run(Callable<T> job, BiConsumer<@Nullable T, @Nullable Throwable> then) {
        waiting.add(() -> start(job, then));
        next();
    }

    /** As {@link #run} for a job that goes on elsewhere when its call has returned. */
    <T> void runStage(
            Callable<CompletableFuture<T>> job, BiConsumer<@Nullable T, @Nullable Throwable> then) {
        waiting.add(() -> startStage(job, then));
        next();
    }

    private <T> void startStage(
            Callable<CompletableFuture<T>> job, BiConsumer<@Nullable T, @Nullable Throwable> then) {
        try {
            pool.execute(
                    () -> {
                        CompletableFuture<T> stage;
                        try {
                            stage = job.call();
                        } catch (Throwable e) {
                            stage = CompletableFuture.failedFuture(e);
                        }
                        stage.whenComplete(
                                (value, failure) ->
                                        loop.execute(() -> done(value, cause(failure), then)));
                    });
        } catch (RejectedExecutionException e) {
            loop.execute(() -> done(null, e, then));
        }
    }

    private static @Nullable Throwable cause(@Nullable Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }

    private <T> void start(Callable<T> job, BiConsumer<@Nullable T, @Nullable Throwable> then) {
        try {
            pool.execute(
                    () -> {
                        T result = null;
                        Throwable failure = null;
                        try {
                            result = job.call();
                        } catch (Throwable e) {
                            failure = e;
                        }
                        T value = result;
                        Throwable error = failure;
                        loop.execute(() -> done(value, error, then));
                    });
        } catch (RejectedExecutionException e) {
            loop.execute(() -> done(null, e, then));
        }
    }

    private <T> void done(
            @Nullable T value,
            @Nullable Throwable error,
            BiConsumer<@Nullable T, @Nullable Throwable> then) {
        busy = false;
        try {
            then.accept(value, error);
        } finally {
            next();
        }
    }

    private void next() {
        if (!busy && !waiting.isEmpty()) {
            busy = true;
            waiting.remove().run();
        }
    }

    boolean isIdle() {
        return !busy && waiting.isEmpty();
    }
}
