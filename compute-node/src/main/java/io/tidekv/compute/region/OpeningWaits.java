package io.tidekv.compute.region;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Requests that wait until a region's tablet is open. Belongs to the region's loop. */
final class OpeningWaits {
    private static final int WAITING_MAX = 1_000;

    private record Waiting(long deadlineNanos, CompletableFuture<?> result, Runnable then) {}

    private final long timeoutNanos;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

    OpeningWaits(long timeoutNanos) {
        this.timeoutNanos = timeoutNanos;
    }

    /** Runs {@code then} once the tablet is open; {@code result} fails when it does not come. */
    void add(long nowNanos, CompletableFuture<?> result, Runnable then) {
        if (waiting.size() >= WAITING_MAX) {
            result.completeExceptionally(Failures.busy("too many wait for the region", 200));
        } else {
            waiting.add(new Waiting(nowNanos + timeoutNanos, result, then));
        }
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** The tablet is open. */
    void run() {
        List<Waiting> all = new ArrayList<>(waiting);
        waiting.clear();
        all.forEach(one -> one.then.run());
    }

    void expire(long nowNanos) {
        while (!waiting.isEmpty() && waiting.peek().deadlineNanos - nowNanos < 0) {
            waiting.remove()
                    .result
                    .completeExceptionally(Failures.busy("the region is being opened", 500));
        }
    }

    void fail(RuntimeException reason) {
        for (Waiting one = waiting.poll(); one != null; one = waiting.poll()) {
            one.result.completeExceptionally(reason);
        }
    }
}
