package io.tidekv.cli.bench;

import io.tidekv.common.Threads;
import io.tidekv.common.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/**
 * Writes at a steady pace that does not wait for answers, and the longest time between two of them.
 * Bounded: while a second's worth of writes waits for answers no more are begun, so that a slow
 * machine is not buried under what it has to repeat.
 */
final class PacedWrites implements AutoCloseable {
    private static final int UNDER_WAY_MIN = 100;

    private final LongFunction<CompletableFuture<Void>> write;
    private final Clock clock;
    private final double perSecond;
    private final long underWayMax;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final AtomicLong underWay = new AtomicLong();
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final Thread thread;
    // Guarded by this.
    private long lastDoneNanos;
    private long gapNanos;
    private long gapEndNanos;

    /**
     * A time without an acknowledgement.
     *
     * @param endNanos when the next one came, by the monotonic clock
     */
    record Gap(double millis, long endNanos) {}

    /** Begins at once; {@code write} gets numbers from 0 on. */
    PacedWrites(LongFunction<CompletableFuture<Void>> write, double perSecond, Clock clock) {
        this.write = write;
        this.perSecond = perSecond;
        this.underWayMax = Math.max(UNDER_WAY_MIN, (long) perSecond);
        this.clock = clock;
        this.lastDoneNanos = clock.monotonicNanos();
        this.gapEndNanos = lastDoneNanos;
        this.thread = Threads.start("bench-writes", this::run);
    }

    private void run() {
        long start = clock.monotonicNanos();
        long begun = 0;
        try {
            while (!stop.await(1, TimeUnit.MILLISECONDS)) {
                long due = (long) ((clock.monotonicNanos() - start) / 1e9 * perSecond);
                while (begun < due && underWay.get() < underWayMax) {
                    begin(begun++);
                }
                begun = Math.max(begun, due);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void begin(long number) {
        underWay.incrementAndGet();
        write.apply(number)
                .whenComplete(
                        (nothing, failure) -> {
                            underWay.decrementAndGet();
                            if (failure == null) {
                                acknowledged();
                            } else {
                                failed.incrementAndGet();
                            }
                        });
    }

    private synchronized void acknowledged() {
        long now = clock.monotonicNanos();
        look(now);
        lastDoneNanos = now;
        done.incrementAndGet();
    }

    private synchronized void look(long now) {
        if (now - lastDoneNanos > gapNanos) {
            gapNanos = now - lastDoneNanos;
            gapEndNanos = now;
        }
    }

    /** Milliseconds between two acknowledgements at most, since the call before. */
    double takeGapMillis() {
        return takeGap().millis();
    }

    /** The longest time between two acknowledgements since the call before. */
    synchronized Gap takeGap() {
        look(clock.monotonicNanos());
        Gap gap = new Gap(gapNanos / 1e6, gapEndNanos);
        gapNanos = 0;
        return gap;
    }

    /** Milliseconds since the last acknowledgement. */
    synchronized double silentMillis() {
        return (clock.monotonicNanos() - lastDoneNanos) / 1e6;
    }

    long done() {
        return done.get();
    }

    long failed() {
        return failed.get();
    }

    @Override
    public void close() throws InterruptedException {
        stop.countDown();
        thread.join();
    }
}
