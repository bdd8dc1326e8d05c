package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.Randomness;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.proto.region.ObjectRef;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a region answers to who makes a backup. Nothing is published by size or age here. */
class PublishOnRequestTest {
    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    private static ObjectRef publish(RegionAccess.Region region) throws Exception {
        region.confirm().get(60, TimeUnit.SECONDS);
        return region.publish().get(60, TimeUnit.SECONDS);
    }

    /** What a record holds for a key; null: nothing. */
    private String held(RegionAccess.Region region, ObjectRef ref, String key) {
        MemoryTabletStore tablets =
                new MemoryTabletStore(
                        TestCluster.CLUSTER_ID, 1, cluster.bucket, Randomness.seeded(5));
        PreparedRecord record = tablets.load(region.shape().getRegionId(), ref);
        try (Tablet tablet = tablets.open(record, record.record().getShape());
                KvSnapshot view = tablet.snapshot(record.record().getShape())) {
            byte[] value = view.get(Cf.DEFAULT, bytes(key));
            return value == null ? null : new String(value, StandardCharsets.UTF_8);
        }
    }

    @Test
    void everythingAcknowledgedIsInTheRecord() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        RegionAccess.Region region = node.region(id);
        ObjectRef empty = publish(region);
        assertThat(held(region, empty, "c")).as("never written to").isNull();
        cluster.putAnywhere("c", "1");
        assertThat(held(region, publish(region), "c")).isEqualTo("1");
        assertThat(publish(region)).as("nothing new").isEqualTo(publish(region));
        node.region(id).split(1, List.of(bytes("m"))).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> cluster.find("c") != null);
        for (String key : List.of("c", "z")) {
            cluster.putAnywhere(key, "2");
            RegionAccess.Region part = cluster.find(key);
            assertThat(held(part, publish(part), key)).isEqualTo("2");
        }
    }

    @Test
    void oneWhoHasBeenReplacedConfirmsNothing() throws Exception {
        TestCluster.Node first = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, first);
        cluster.putAnywhere("c", "1");
        RegionAccess.Region old = first.region(id);
        old.confirm().get(60, TimeUnit.SECONDS);
        TestCluster.Node second = cluster.start("b");
        first.isolate();
        cluster.pd.seize(id, second.id());
        cluster.awaitLeading(id, second);
        CompletableFuture<Void> confirmed = old.confirm();
        assertThat(confirmed).isNotCompleted();
        first.reconnect();
        assertThatThrownBy(() -> confirmed.get(60, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class);
        assertThat(held(old, publish(second.region(id)), "c")).isEqualTo("1");
    }
}
