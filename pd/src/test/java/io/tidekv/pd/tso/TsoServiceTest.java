package io.tidekv.pd.tso;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.MemoryStateLog;
import io.tidekv.pd.log.NotLeaderException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TsoServiceTest {
    private static final Duration LEASE = Duration.ofMillis(300);

    private final ManualClock clock = new ManualClock();
    private final MemoryStateLog log = new MemoryStateLog();

    /**
     * Restarts, fail-overs and clocks that jump by hours either way: always greater, no doubles.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void alwaysGrows(long seed) {
        Randomness random = Randomness.seeded(seed);
        TsoService tso = service();
        MemoryStateLog current = log;
        long last = 0;
        for (int i = 0; i < 3_000; i++) {
            switch (random.nextInt(40)) {
                case 0 -> clock.jumpWallMillis(random.nextLong(-10_000_000, 10_000_000));
                case 1 -> clock.jumpWallMillis(random.nextLong(-5_000, 5_000));
                case 2 -> {
                    current.setLeading(false);
                    current.setLeading(true);
                }
                case 3 -> {
                    current = new MemoryStateLog(restored(current));
                    tso = new TsoService(current, clock, LEASE);
                }
                case 4 -> clock.advanceMillis(random.nextInt(10_000));
                default -> clock.advanceMillis(random.nextInt(2));
            }
            int count = 1 + random.nextInt(random.chance(0.1) ? TsoService.COUNT_MAX : 1_000);
            long got = tso.next(count).join();
            long first = got - count + 1;
            assertThat(first).as("seed %d step %d", seed, i).isGreaterThan(last);
            assertThat(first >> TsoOracle.LOGICAL_BITS)
                    .as("one batch lies in one millisecond")
                    .isEqualTo(got >> TsoOracle.LOGICAL_BITS);
            assertThat(got >> TsoOracle.LOGICAL_BITS)
                    .as("below the durable bound")
                    .isLessThan(current.read(PdState::tsoBoundMillis));
            last = got;
        }
    }

    @Test
    void costsNoWritePerRequest() {
        TsoService tso = service();
        tso.next(1).join();
        long before = log.read(PdState::revision);
        for (int i = 0; i < 10_000; i++) {
            if (i % 10 == 0) {
                clock.advanceMillis(1);
            }
            tso.next(10).join();
        }
        long after = log.read(PdState::revision);
        assertThat(after - before).isLessThanOrEqualTo(2);
    }

    @Test
    void followsTheClock() {
        TsoService tso = service();
        clock.advanceMillis(100_000);
        assertThat(tso.next(1).join() >> TsoOracle.LOGICAL_BITS).isEqualTo(clock.wallMillis());
    }

    @Test
    void waitsForTheBoundAndAnswersInOrder() {
        TsoService tso = service();
        log.hold();
        CompletableFuture<Long> first = tso.next(1);
        CompletableFuture<Long> second = tso.next(5);
        assertThat(first).isNotDone();
        assertThat(second).isNotDone();
        log.release();
        assertThat(second.join()).isEqualTo(first.join() + 5);
    }

    @Test
    void aDeposedLeaderStops() {
        TsoService tso = service();
        tso.next(1).join();
        log.hold();
        clock.advanceMillis(60_000);
        CompletableFuture<Long> pending = tso.next(1);
        assertThat(pending).isNotDone();
        log.setLeading(false);
        assertThatThrownBy(pending::join).hasCauseInstanceOf(NotLeaderException.class);
        assertThatThrownBy(() -> tso.next(1).join())
                .hasCauseInstanceOf(NotLeaderException.class)
                .hasMessageContaining("not leader");
    }

    @Test
    void asksAMajorityOnceTheConfirmationIsOld() {
        Unconfirmed partitioned = new Unconfirmed(log);
        TsoService tso = new TsoService(partitioned, clock, LEASE);
        tso.next(1).join();
        partitioned.reachable = false;
        clock.advanceMillis(LEASE.toMillis() - 1);
        tso.next(1).join();
        clock.advanceMillis(1);
        CompletableFuture<Long> late = tso.next(1);
        assertThat(late).as("no answer without a majority").isNotDone();
        partitioned.reachable = true;
        partitioned.asked.complete(null);
        assertThat(late).isCompleted();
    }

    private TsoService service() {
        return new TsoService(log, clock, LEASE);
    }

    private static PdState restored(MemoryStateLog from) {
        return PdState.restore(from.read(PdState::snapshot));
    }
}
