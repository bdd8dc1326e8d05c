package io.tidekv.objects.store;

import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Repeats a call that failed with UNAVAILABLE, after pauses that double and are drawn at random
 * below their bound, until a deadline. A call that failed with CORRUPT is repeated twice: what was
 * read may have been damaged on its way. Thread-safe.
 */
public final class Retries {
    private static final int CORRUPT_REPEATS = 2;

    private final StoreContext context;
    private final @Nullable RetryBudget budget;
    private final AtomicLong count = new AtomicLong();

    public Retries(StoreContext context) {
        this(context, null);
    }

    Retries(StoreContext context, @Nullable RetryBudget budget) {
        this.context = context;
        this.budget = budget;
    }

    /** How long and how fast. No attempt begins after the deadline, except the first. */
    public record Policy(Duration deadline, Duration pauseMin, Duration pauseMax) {}

    /** One attempt, told how much of the time is left. */
    @FunctionalInterface
    public interface Attempt<T extends @Nullable Object> {
        T run(Duration remaining);
    }

    /** Throws the last attempt's error. */
    public <T extends @Nullable Object> T call(String object, Policy policy, Attempt<T> attempt) {
        long start = context.clock().monotonicNanos();
        int corrupt = 0;
        Duration pause = policy.pauseMin();
        while (true) {
            Duration remaining = policy.deadline().minusNanos(elapsed(start));
            try {
                T result = attempt.run(remaining.isNegative() ? Duration.ZERO : remaining);
                if (budget != null) {
                    budget.succeeded();
                }
                return result;
            } catch (ObjectStoreException e) {
                boolean again =
                        e.kind() == Kind.UNAVAILABLE
                                || (e.kind() == Kind.CORRUPT && corrupt++ < CORRUPT_REPEATS);
                Duration wait = jitter(pause);
                boolean inTime = wait.toNanos() + elapsed(start) < policy.deadline().toNanos();
                if (!again || !inTime || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                if (budget != null && !budget.tryTake()) {
                    throw e;
                }
                sleep(object, wait, e);
                count.incrementAndGet();
                Duration doubled = pause.multipliedBy(2);
                pause = doubled.compareTo(policy.pauseMax()) < 0 ? doubled : policy.pauseMax();
            }
        }
    }

    /** Attempts beyond the first of each call, since the start. */
    public long count() {
        return count.get();
    }

    private long elapsed(long start) {
        return context.clock().monotonicNanos() - start;
    }

    /** Between half of the pause and all of it. */
    private Duration jitter(Duration pause) {
        double share;
        synchronized (this) {
            share = 0.5 + context.randomness().nextDouble() / 2;
        }
        return Duration.ofNanos((long) (pause.toNanos() * share));
    }

    private void sleep(String object, Duration wait, ObjectStoreException failure) {
        try {
            context.sleeper().sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw StoreErrors.interrupted(object, failure);
        }
    }
}
