package io.tidekv.objects.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import org.junit.jupiter.api.Test;

class MeteredObjectStoreTest extends ObjectStoreContract {
    private final Metrics metrics = new Metrics();

    @Override
    ObjectStore open() {
        return new MeteredObjectStore(new MemoryObjectStore(), metrics, new ManualClock());
    }

    @Test
    void countsCallsFailuresAndBytes() {
        Metrics own = new Metrics();
        ObjectStore store = new MeteredObjectStore(new MemoryObjectStore(), own, new ManualClock());
        store.putIfAbsent("a", bytes(100, 1));
        store.get("a", 100);
        assertFails(Kind.NOT_FOUND, () -> store.get("b", 100));
        assertThat(own.expose())
                .contains(
                        "tidekv_object_store_seconds_count{operation=\"get\"} 2",
                        "tidekv_object_store_failures_total{kind=\"not_found\",operation=\"get\"} 1",
                        "tidekv_object_store_bytes_total{direction=\"written\"} 100",
                        "tidekv_object_store_bytes_total{direction=\"read\"} 100");
    }
}
