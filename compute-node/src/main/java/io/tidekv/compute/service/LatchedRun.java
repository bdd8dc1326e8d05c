package io.tidekv.compute.service;

import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Scheduler;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One command from its latches to its result: it either starts or runs out of time, once, and
 * leaves its latches before its result is known to others.
 */
final class LatchedRun<R> {
    private final Function<Boolean, CompletableFuture<R>> work;
    private final Function<Throwable, @Nullable CompletableFuture<Void>> settling;
    private final CompletableFuture<R> result = new CompletableFuture<>();
    private final AtomicBoolean begun = new AtomicBoolean();
    private final AtomicReference<Scheduler.Cancellable> timer = new AtomicReference<>();

    /**
     * @param settling for a failure after which the work may still take effect: when that is over;
     *     null for others
     */
    LatchedRun(
            Function<Boolean, CompletableFuture<R>> work,
            Function<Throwable, @Nullable CompletableFuture<Void>> settling) {
        this.work = work;
        this.settling = settling;
    }

    CompletableFuture<R> result() {
        return result;
    }

    /** The latches came free on somebody else's thread, which must not do our work. */
    void onWorker(Latches.Ticket ticket, Executor workers) {
        try {
            workers.execute(() -> start(ticket, false));
        } catch (RejectedExecutionException e) {
            refuse(ticket, Runner.busy());
        }
    }

    /** Runs the work, unless the time has run out before. */
    void start(Latches.Ticket ticket, boolean inPlace) {
        if (!begun.compareAndSet(false, true)) {
            return;
        }
        stopTimer();
        try {
            work.apply(inPlace)
                    .whenComplete(
                            (value, error) -> {
                                leave(ticket, error);
                                if (error != null) {
                                    result.completeExceptionally(error);
                                } else {
                                    result.complete(value);
                                }
                            });
        } catch (RuntimeException e) {
            ticket.close();
            result.completeExceptionally(e);
        }
    }

    /** Others on the same keys must not run while this work may still take effect. */
    private void leave(Latches.Ticket ticket, @Nullable Throwable error) {
        CompletableFuture<Void> settled = error == null ? null : settling.apply(error);
        if (settled == null) {
            ticket.close();
        } else {
            settled.thenRun(ticket::close);
        }
    }

    void expireAt(Scheduler scheduler, Duration left, Latches.Ticket ticket) {
        timer.set(scheduler.after(left, () -> refuse(ticket, Deadline.exceeded())));
        if (begun.get()) {
            stopTimer();
        }
    }

    private void refuse(Latches.Ticket ticket, KvException error) {
        if (begun.compareAndSet(false, true)) {
            stopTimer();
            ticket.close();
            result.completeExceptionally(error);
        }
    }

    private void stopTimer() {
        Scheduler.Cancellable waiting = timer.getAndSet(null);
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
