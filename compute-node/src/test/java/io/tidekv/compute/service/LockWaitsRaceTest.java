package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.deadlock.DeadlockDetector;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.txn.Released;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Threads that wait, release, hand locks on and time out at random: every wait ends once, nothing
 * is left in the queues, and the detector is told of the end of each wait that it knows.
 */
class LockWaitsRaceTest {
    private static final long SEED = Long.getLong("seed", 20261122L);
    private static final int THREADS = 4;
    private static final int ROUNDS = 1_500;
    private static final int KEYS = 4;

    private final ThreadScheduler timers = new ThreadScheduler("test-timers");
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final ExecutorService workers = Executors.newFixedThreadPool(2);
    private final Known known = new Known();
    private final LockWaits waits =
            new LockWaits(THREADS * ROUNDS, new ManualClock(), timers, workers, known);

    @AfterEach
    void close() {
        threads.shutdownNow();
        workers.shutdownNow();
        timers.close();
    }

    @Test
    void everyWaitEndsAndIsForgotten() {
        System.out.println("seed " + SEED);
        List<CompletableFuture<List<CompletableFuture<LockWaits.End>>>> runs = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            Random random = new Random(SEED + thread);
            int first = thread * ROUNDS;
            runs.add(CompletableFuture.supplyAsync(() -> run(random, first), threads));
        }
        List<CompletableFuture<LockWaits.End>> ends = new ArrayList<>();
        runs.forEach(run -> ends.addAll(run.orTimeout(60, TimeUnit.SECONDS).join()));
        waits.close();
        CompletableFuture.allOf(ends.toArray(CompletableFuture<?>[]::new))
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
        assertThat(waits.entries()).isEmpty();
        for (int key = 0; key < KEYS; key++) {
            assertThat(waits.isWaitedFor(key(key))).isFalse();
        }
        assertThat(known.left()).as("waits that the detector still knows").isEmpty();
    }

    private List<CompletableFuture<LockWaits.End>> run(Random random, int firstTs) {
        List<CompletableFuture<LockWaits.End>> ends = new ArrayList<>();
        for (int round = 1; round <= ROUNDS; round++) {
            TxnKey key = key(random.nextInt(KEYS));
            long other = 100_000 + random.nextInt(50);
            switch (random.nextInt(6)) {
                case 0, 1, 2 -> {
                    Duration timeout =
                            random.nextInt(3) == 0 ? Duration.ofNanos(1) : Duration.ofHours(1);
                    LockWaits.Waiter waiter =
                            waits.enter(
                                    new TxnError.Locked(key.raw(), lock(other)),
                                    firstTs + round,
                                    random.nextBoolean(),
                                    ByteString.EMPTY,
                                    timeout);
                    assertThat(waiter).isNotNull();
                    ends.add(waiter.end());
                }
                case 3 -> waits.acquired(key, lock(other));
                default -> waits.released(List.of(new Released(key, other, 0)));
            }
        }
        return ends;
    }

    private static LockRecord lock(long startTs) {
        return LockRecord.builder(LockKind.PESSIMISTIC, ByteString.EMPTY, startTs).build();
    }

    private static TxnKey key(int i) {
        return TxnKey.of(ByteString.copyFromUtf8("k" + i));
    }

    /** Counts what it is told; an end may be told before its beginning. */
    private static final class Known implements DeadlockDetector {
        private final List<Wait> waits = new ArrayList<>();

        @Override
        public synchronized void enter(Wait wait, Consumer<List<Wait>> circle) {
            waits.add(wait);
        }

        @Override
        public synchronized void leave(Wait wait) {
            waits.remove(wait);
        }

        synchronized List<Wait> left() {
            return List.copyOf(waits);
        }
    }
}
