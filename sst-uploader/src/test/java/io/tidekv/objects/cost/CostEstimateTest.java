package io.tidekv.objects.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.MeteredObjectStore;
import io.tidekv.objects.store.ObjectStore;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class CostEstimateTest {
    @Test
    void pricesWhatWasSeen() {
        // 10 PUT/s and 100 GET/s for ten seconds; 1000 writes; a terabyte.
        Requests seen = new Requests(90, 1000, 10, 500, 0, 0);
        CostEstimate cost =
                CostEstimate.of(
                        seen,
                        Duration.ofSeconds(10),
                        1000,
                        1_100_000_000_000L,
                        1_000_000_000_000L,
                        Prices.DEFAULT);
        double month = 730 * 3600;
        assertThat(cost.requestsPerMonth())
                .isCloseTo(month * (10 * 0.005 + 100 * 0.0004) / 1000, within(0.001));
        assertThat(cost.storagePerMonth()).isCloseTo(25.3, within(0.001));
        assertThat(cost.perMillionWrites()).isCloseTo(0.9, within(0.0001));
        assertThat(cost.gp3PerMonth()).isCloseTo(240, within(0.001));
        assertThat(cost.perGbMonth())
                .isCloseTo((cost.requestsPerMonth() + 25.3) / 1000, within(0.001));
    }

    @Test
    void nothingCostsNothing() {
        CostEstimate cost = CostEstimate.of(Requests.NONE, Duration.ZERO, 0, 0, 0, Prices.DEFAULT);
        assertThat(cost).isEqualTo(new CostEstimate(0, 0, 0, 0, 0));
    }

    @Test
    void requestsAreReadBackFromMetrics() {
        Metrics metrics = new Metrics();
        ObjectStore store =
                new MeteredObjectStore(new MemoryObjectStore(), metrics, new ManualClock());
        store.putIfAbsent("a", new byte[7]);
        store.get("a", 7);
        store.head("a");
        store.list("", "", 10);
        store.delete("a");
        assertThat(Requests.parse(metrics.expose())).isEqualTo(new Requests(1, 2, 1, 1, 7, 7));
        assertThat(metrics.expose()).contains("tidekv_object_store_request_dollars 1.08");
        Requests later = new Requests(3, 2, 1, 1, 9, 7);
        assertThat(later.since(Requests.parse(metrics.expose())))
                .isEqualTo(new Requests(2, 0, 0, 0, 2, 0));
    }
}
