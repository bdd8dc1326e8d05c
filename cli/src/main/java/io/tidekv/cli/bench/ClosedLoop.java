package io.tidekv.cli.bench;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Clients that each wait for an answer before they send the next request. They are not threads: a
 * client goes on where its answer arrives.
 */
final class ClosedLoop {
    /** Latencies are kept in microseconds, to three digits. */
    private static final int DIGITS = 3;

    private final Operation operation;
    private final Clock clock;
    private volatile boolean running = true;
    private volatile @Nullable Throwable lastError;

    ClosedLoop(Operation operation, Clock clock) {
        this.operation = operation;
        this.clock = clock;
    }

    /** What a client does once. */
    interface Operation {
        CompletableFuture<?> run(ByteString key);
    }

    /** What all clients did together. */
    record Result(Histogram micros, long errors, double seconds) {
        long operations() {
            return micros.getTotalCount();
        }

        /** Both, one after the other. */
        Result plus(Result other) {
            Histogram all = micros.copy();
            all.add(other.micros);
            return new Result(all, errors + other.errors, seconds + other.seconds);
        }
    }

    /** Picks random keys of {@code keys} for {@code seconds}. */
    Result forSeconds(int clients, long keys, double seconds) throws InterruptedException {
        Loop[] loops = new Loop[clients];
        CountDownLatch ended = new CountDownLatch(clients);
        for (int i = 0; i < clients; i++) {
            Randomness random = Randomness.seeded(i);
            loops[i] = new Loop(ended, () -> random.nextLong(0, keys));
        }
        long start = clock.monotonicNanos();
        for (Loop loop : loops) {
            loop.run();
        }
        new CountDownLatch(1).await((long) (seconds * 1000), TimeUnit.MILLISECONDS);
        running = false;
        double took = (clock.monotonicNanos() - start) / 1e9;
        ended.await();
        return sum(loops, took);
    }

    /** Goes through the keys from 0 once. */
    Result once(int clients, long keys) throws InterruptedException {
        Loop[] loops = new Loop[clients];
        CountDownLatch ended = new CountDownLatch(clients);
        long start = clock.monotonicNanos();
        for (int i = 0; i < clients; i++) {
            long[] next = {i - clients};
            loops[i] =
                    new Loop(
                            ended,
                            () -> {
                                next[0] += clients;
                                return next[0] < keys ? next[0] : -1;
                            });
        }
        for (Loop loop : loops) {
            loop.run();
        }
        ended.await();
        return sum(loops, (clock.monotonicNanos() - start) / 1e9);
    }

    /** Why operations failed, when some did. */
    @Nullable Throwable lastError() {
        return lastError;
    }

    private static Result sum(Loop[] loops, double seconds) {
        Histogram all = new Histogram(DIGITS);
        long errors = 0;
        for (Loop loop : loops) {
            all.add(loop.micros);
            errors += loop.errors;
        }
        return new Result(all, errors, seconds);
    }

    /** The key of a number. */
    static ByteString key(long number) {
        String digits = Long.toString(number);
        return ByteString.copyFromUtf8("bench-" + "0".repeat(12 - digits.length()) + digits);
    }

    private final class Loop {
        private final Histogram micros = new Histogram(DIGITS);
        private final CountDownLatch ended;
        private final LongSupplier numbers;
        private long errors;

        Loop(CountDownLatch ended, LongSupplier numbers) {
            this.ended = ended;
            this.numbers = numbers;
        }

        /** Runs until an answer is not there yet, and goes on when it is. */
        void run() {
            while (running) {
                long number = numbers.getAsLong();
                if (number < 0) {
                    break;
                }
                long start = clock.monotonicNanos();
                CompletableFuture<?> answer = operation.run(key(number));
                if (!answer.isDone()) {
                    answer.whenComplete(
                            (ignored, failure) -> {
                                record(start, failure);
                                run();
                            });
                    return;
                }
                answer.whenComplete((ignored, failure) -> record(start, failure));
            }
            ended.countDown();
        }

        private void record(long start, @Nullable Throwable failure) {
            if (failure == null) {
                micros.recordValue((clock.monotonicNanos() - start) / 1000);
            } else {
                errors++;
                lastError = failure;
            }
        }
    }
}
