package io.tidekv.objects.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.objects.store.Faults.Moment;
import io.tidekv.objects.store.Faults.Operation;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FaultyObjectStoreTest extends ObjectStoreContract {
    private final MemoryObjectStore base = new MemoryObjectStore();
    private final Faults faults = new Faults(Randomness.seeded(1));
    private final List<Duration> slept = new ArrayList<>();

    @Override
    ObjectStore open() {
        return new FaultyObjectStore(base, faults, slept::add);
    }

    @Test
    void failsTheNextCallsBeforeOrAfterTheirEffect() {
        ObjectStore store = open();
        faults.failNext(Operation.PUT, 1, Kind.UNAVAILABLE, Moment.BEFORE);
        faults.failNext(Operation.PUT, 1, Kind.UNAVAILABLE, Moment.AFTER);
        assertFails(Kind.UNAVAILABLE, () -> store.putIfAbsent("a", bytes(10, 1)));
        assertThat(base.head("a")).isNull();
        assertFails(Kind.UNAVAILABLE, () -> store.putIfAbsent("a", bytes(10, 1)));
        assertThat(base.head("a")).isNotNull();
        store.putIfAbsent("a", bytes(10, 1));
        assertThat(faults.injected()).isEqualTo(2);
    }

    @Test
    void anOutageEndsWhenToldAndHasNoEffect() {
        ObjectStore store = open();
        faults.setOutage(true);
        assertFails(Kind.UNAVAILABLE, () -> store.putIfAbsent("a", bytes(10, 1)));
        assertFails(Kind.UNAVAILABLE, () -> store.list("", "", 1));
        faults.setOutage(false);
        assertThat(store.head("a")).isNull();
    }

    @Test
    void damagesBodies() {
        ObjectStore store = open();
        byte[] bytes = bytes(1000, 1);
        store.putIfAbsent("a", bytes);
        faults.flipNextBody();
        assertThat(store.get("a", 1000)).hasSize(1000).isNotEqualTo(bytes);
        faults.cutNextBody();
        assertThat(store.getRange("a", 0, 1000)).hasSizeLessThan(1000);
        faults.flipNextBody();
        Path target = temp.resolve("t");
        assertThat(store.getToFile("a", target).crc32c()).isNotEqualTo(Checksums.crc32c(bytes));
        assertThat(store.get("a", 1000)).isEqualTo(bytes);
    }

    @Test
    void equalSeedsGiveEqualFaults() {
        assertThat(outcomes(7)).isEqualTo(outcomes(7)).isNotEqualTo(outcomes(8)).contains("fails");
    }

    private static List<String> outcomes(long seed) {
        Faults faults = new Faults(Randomness.seeded(seed));
        faults.failAtRandom(Operation.PUT, 0.2, 0.2);
        ObjectStore store = new FaultyObjectStore(new MemoryObjectStore(), faults, Sleeper.real());
        List<String> outcomes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            try {
                store.putIfAbsent("a/" + i, new byte[1]);
                outcomes.add("works");
            } catch (ObjectStoreException e) {
                outcomes.add("fails");
            }
        }
        return outcomes;
    }

    @Test
    void delaysCalls() {
        faults.setLatency(Duration.ofMillis(10));
        open().list("", "", 1);
        assertThat(slept).hasSize(1);
        assertThat(slept.get(0)).isBetween(Duration.ofMillis(5), Duration.ofMillis(10));
    }
}
