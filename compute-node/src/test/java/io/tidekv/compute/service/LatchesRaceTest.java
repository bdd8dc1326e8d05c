package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Threads that take and leave latches at random: each slot has one holder, and nobody is left. */
class LatchesRaceTest {
    private static final long SEED = Long.getLong("seed", 20261122L);
    private static final int SLOTS = 4;
    private static final int THREADS = 4;
    private static final int ROUNDS = 15_000;

    private final Latches latches = new Latches(SLOTS, THREADS * ROUNDS);
    private final AtomicIntegerArray holders = new AtomicIntegerArray(SLOTS);
    private final AtomicBoolean shared = new AtomicBoolean();
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    @AfterEach
    void close() {
        threads.shutdownNow();
    }

    @Test
    void eachSlotHasOneHolderAndEverybodyGetsATurn() {
        System.out.println("seed " + SEED);
        List<CompletableFuture<Void>> done = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            Random random = new Random(SEED + thread);
            done.add(CompletableFuture.runAsync(() -> run(random), threads));
        }
        CompletableFuture.allOf(done.toArray(CompletableFuture<?>[]::new))
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
        assertThat(shared).as("two held one slot").isFalse();
        assertThat(latches.waiting()).isZero();
        int[] all = new int[SLOTS];
        for (int i = 0; i < SLOTS; i++) {
            all[i] = i;
        }
        assertThat(latches.acquire(all, ticket -> {}).isGrantedAtOnce()).isTrue();
    }

    private void run(Random random) {
        for (int round = 0; round < ROUNDS; round++) {
            int[] slots =
                    random.ints(1 + random.nextInt(3), 0, SLOTS).sorted().distinct().toArray();
            CompletableFuture<Latches.Ticket> granted = new CompletableFuture<>();
            Latches.Ticket ticket = latches.acquire(slots, granted::complete);
            if (!ticket.isGrantedAtOnce()) {
                if (random.nextInt(8) == 0) {
                    // Gives up, perhaps just when it is its turn.
                    ticket.close();
                    continue;
                }
                granted.orTimeout(60, TimeUnit.SECONDS).join();
            }
            hold(slots, random.nextInt(60));
            ticket.close();
        }
    }

    private void hold(int[] slots, int spins) {
        for (int slot : slots) {
            if (holders.getAndIncrement(slot) != 0) {
                shared.set(true);
            }
        }
        for (int i = 0; i < spins; i++) {
            Thread.onSpinWait();
        }
        for (int slot : slots) {
            holders.getAndDecrement(slot);
        }
    }
}
