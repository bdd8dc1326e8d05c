package io.tidekv.compute.txn;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.ReadPolicy;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A reader and a prewrite that chooses its commit timestamp meet at the same moment, again and
 * again: whoever comes second sees the first.
 */
class ConcurrencyRaceTest {
    private static final long SEED = Long.getLong("seed", 20261122L);
    private static final int ROUNDS = 10_000;
    private static final ByteString KEY = ByteString.copyFromUtf8("k");

    private final ExecutorService threads = Executors.newFixedThreadPool(2);
    private final Concurrency concurrency = new Concurrency();

    /** How the reader asks. */
    private enum Form {
        KEYS,
        RANGE,
        LOCK_SCAN
    }

    @AfterEach
    void close() {
        threads.shutdownNow();
    }

    @ParameterizedTest
    @EnumSource
    void noReaderMissesACommitAtOrBelowItsTimestamp(Form form) {
        System.out.println("seed " + SEED);
        CyclicBarrier barrier = new CyclicBarrier(2);
        AtomicLong chosen = new AtomicLong();
        CompletableFuture<Void> writer =
                CompletableFuture.runAsync(() -> write(new Random(SEED), barrier, chosen), threads);
        CompletableFuture<Integer> reader =
                CompletableFuture.supplyAsync(
                        () -> read(form, new Random(SEED + 1), barrier, chosen), threads);
        CompletableFuture.allOf(writer, reader).orTimeout(90, TimeUnit.SECONDS).join();
        assertThat(reader.join()).as("reads that passed below a later commit").isZero();
        assertThat(concurrency.lockedIn(null, null, Long.MAX_VALUE)).isNull();
    }

    private void write(Random random, CyclicBarrier barrier, AtomicLong chosen) {
        for (int round = 1; round <= ROUNDS; round++) {
            long startTs = round * 10L;
            boolean onePhase = random.nextBoolean();
            MemoryLocks locks = new MemoryLocks();
            meet(barrier);
            spin(random);
            LockRecord lock =
                    concurrency.publish(
                            locks, TxnKey.of(KEY), onePhase, maxTs -> lock(startTs, maxTs));
            chosen.set(Objects.requireNonNull(lock).minCommitTs());
            meet(barrier);
            locks.close();
        }
    }

    private static LockRecord lock(long startTs, long maxTs) {
        return LockRecord.builder(LockKind.PUT, KEY, startTs)
                .asyncCommit(List.of())
                .minCommitTs(Math.max(maxTs, startTs) + 1)
                .build();
    }

    private int read(Form form, Random random, CyclicBarrier barrier, AtomicLong chosen) {
        int missed = 0;
        for (int round = 1; round <= ROUNDS; round++) {
            long ts = round * 10L + 5;
            meet(barrier);
            spin(random);
            boolean passed = passes(form, ts);
            meet(barrier);
            // The writer does not choose again before the next meeting.
            if (passed && chosen.get() <= ts) {
                missed++;
            }
        }
        return missed;
    }

    private boolean passes(Form form, long ts) {
        byte[] key = TxnKey.of(KEY).encoded();
        ReadPolicy policy = ReadPolicy.snapshot(ts);
        try {
            switch (form) {
                case KEYS -> concurrency.beginRead(List.of(KEY), policy);
                case RANGE -> concurrency.beginRead(key, null, policy);
                default -> {
                    return concurrency.lockedIn(key, null, ts) == null;
                }
            }
            return true;
        } catch (TxnException e) {
            return false;
        }
    }

    private static void spin(Random random) {
        for (int i = random.nextInt(100); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
