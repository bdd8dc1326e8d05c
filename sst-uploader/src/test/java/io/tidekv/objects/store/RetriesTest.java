package io.tidekv.objects.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetriesTest {
    private static final Retries.Policy POLICY =
            new Retries.Policy(
                    Duration.ofSeconds(10), Duration.ofMillis(100), Duration.ofSeconds(2));

    private final ManualClock clock = new ManualClock();
    private final List<Duration> pauses = new ArrayList<>();
    private final StoreContext context =
            new StoreContext(
                    clock,
                    Randomness.seeded(5),
                    pause -> {
                        pauses.add(pause);
                        clock.advanceMillis(pause.toMillis());
                    });
    private int attempts;

    private String fail(Kind kind) {
        attempts++;
        throw new ObjectStoreException(kind, "a", "no", null);
    }

    @Test
    void pausesDoubleWithJitterUpToTheirBoundAndTheDeadline() {
        Retries retries = new Retries(context);
        assertThatThrownBy(() -> retries.call("a", POLICY, left -> fail(Kind.UNAVAILABLE)))
                .isInstanceOf(ObjectStoreException.class);
        Duration sum = pauses.stream().reduce(Duration.ZERO, Duration::plus);
        assertThat(sum).isLessThan(Duration.ofSeconds(10)).isGreaterThan(Duration.ofSeconds(7));
        long bound = 100;
        for (Duration pause : pauses) {
            assertThat(pause.toMillis()).isBetween(bound / 2, bound);
            bound = Math.min(2000, bound * 2);
        }
        assertThat(attempts).isEqualTo(pauses.size() + 1);
        assertThat(retries.count()).isEqualTo(pauses.size());
    }

    @Test
    void attemptsAreToldWhatIsLeft() {
        List<Duration> left = new ArrayList<>();
        Retries retries = new Retries(context);
        assertThatThrownBy(
                        () ->
                                retries.call(
                                        "a",
                                        POLICY,
                                        remaining -> {
                                            left.add(remaining);
                                            clock.advanceMillis(4000);
                                            return fail(Kind.UNAVAILABLE);
                                        }))
                .isInstanceOf(ObjectStoreException.class);
        assertThat(left).hasSize(3).isSortedAccordingTo((a, b) -> b.compareTo(a));
        assertThat(left.get(0)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void damageIsReadThreeTimesAndOtherFailuresOnce() {
        Retries retries = new Retries(context);
        assertThatThrownBy(() -> retries.call("a", POLICY, left -> fail(Kind.CORRUPT)))
                .isInstanceOf(ObjectStoreException.class);
        assertThat(attempts).isEqualTo(3);
        for (Kind kind : new Kind[] {Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.FULL, Kind.INVALID}) {
            attempts = 0;
            assertThatThrownBy(() -> retries.call("a", POLICY, left -> fail(kind)))
                    .isInstanceOf(ObjectStoreException.class);
            assertThat(attempts).isEqualTo(1);
        }
    }

    @Test
    void aBudgetEndsRetriesAndSuccessesRefillIt() {
        Retries retries = new Retries(context, new RetryBudget(3, 0.5));
        Retries.Policy endless =
                new Retries.Policy(Duration.ofDays(1), Duration.ofMillis(1), Duration.ofMillis(1));
        for (int expected : new int[] {4, 1}) {
            attempts = 0;
            assertThatThrownBy(() -> retries.call("a", endless, left -> fail(Kind.UNAVAILABLE)))
                    .isInstanceOf(ObjectStoreException.class);
            assertThat(attempts).isEqualTo(expected);
        }
        retries.call("a", endless, left -> "done");
        retries.call("a", endless, left -> "done");
        attempts = 0;
        assertThatThrownBy(() -> retries.call("a", endless, left -> fail(Kind.UNAVAILABLE)))
                .isInstanceOf(ObjectStoreException.class);
        assertThat(attempts).isEqualTo(2);
    }

    @Test
    void anInterruptEndsThePause() {
        StoreContext interrupted =
                new StoreContext(
                        clock,
                        Randomness.seeded(1),
                        pause -> {
                            throw new InterruptedException();
                        });
        assertThatThrownBy(
                        () ->
                                new Retries(interrupted)
                                        .call("a", POLICY, left -> fail(Kind.UNAVAILABLE)))
                .hasMessageContaining("interrupted");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(attempts).isEqualTo(1);
    }
}
