package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.error;
import static io.tidekv.compute.region.TestCluster.get;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.error.KvError;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One store serving: writes, reads, publishing, limits, failures around it. */
class RegionStoreTest {
    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void aNewClusterTakesWritesAndReadsThemBack() throws Exception {
        TestCluster.Node node = cluster.start("a");
        RegionAccess.Region region = serving(node);
        for (int i = 0; i < 50; i++) {
            put(region, "k" + i, "v" + i);
        }
        assertThat(get(region, "k42")).isEqualTo("v42");
        assertThat(get(region, "none")).isNull();
    }

    @Test
    void writesThatComeTogetherAreAllApplied() throws Exception {
        RegionAccess.Region region = serving(cluster.start("a"));
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            byte[] key = TestCluster.bytes("k" + i);
            writes.add(region.write(1, new WriteBatchBuilder().put(Cf.DEFAULT, key, key)));
        }
        CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new)).get(20, TimeUnit.SECONDS);
        for (int i = 0; i < 5000; i += 7) {
            assertThat(get(region, "k" + i)).isEqualTo("k" + i);
        }
        assertThat(cluster.wal.entries(1, region.shape().getRegionId()))
                .as("writes that wait together share entries")
                .isLessThan(4000);
    }

    @Test
    void anotherVersionIsRefused() throws Exception {
        RegionAccess.Region region = serving(cluster.start("a"));
        Throwable read = catchThrowable(() -> region.read(7).get(60, TimeUnit.SECONDS));
        Throwable write =
                catchThrowable(
                        () ->
                                region.write(
                                                7,
                                                new WriteBatchBuilder()
                                                        .put(Cf.DEFAULT, new byte[1], new byte[1]))
                                        .get(60, TimeUnit.SECONDS));
        assertThat(error(read)).isInstanceOf(KvError.EpochNotMatch.class);
        assertThat(((KvError.EpochNotMatch) error(write)).current())
                .containsExactly(new KvError.Route(region.shape(), region.shape().getPeerId() - 3));
    }

    @Test
    void aWriteThatIsTooLargeIsRefused() throws Exception {
        RegionAccess.Region region = serving(cluster.start("a"));
        WriteBatchBuilder batch =
                new WriteBatchBuilder().put(Cf.DEFAULT, new byte[1], new byte[33 << 20]);
        Throwable refused = catchThrowable(() -> region.write(1, batch).get(60, TimeUnit.SECONDS));
        assertThat(error(refused)).isInstanceOf(KvError.EntryTooLarge.class);
    }

    @Test
    void oneWalNodeMayBeAwayAndAMajorityMayNot() throws Exception {
        RegionAccess.Region region = serving(cluster.start("a"));
        cluster.wal.stop(2);
        put(region, "k", "one away");
        assertThat(get(region, "k")).isEqualTo("one away");
        cluster.wal.stop(3);
        Throwable lost = catchThrowable(() -> put(region, "k", "two away"));
        assertThat(error(lost)).isInstanceOf(KvError.Undetermined.class);
        cluster.wal.restart(2);
        cluster.putAnywhere("k", "back");
        assertThat(cluster.getAnywhere("k")).isEqualTo("back");
        cluster.wal.restart(3);
        long id = region.shape().getRegionId();
        await().atMost(PATIENCE)
                .untilAsserted(
                        () ->
                                assertThat(cluster.wal.entries(3, id))
                                        .isEqualTo(cluster.wal.entries(1, id)));
    }

    @Test
    void publishedEntriesLeaveTheVoters() throws Exception {
        TestCluster.Node node =
                cluster.start(
                        "a", TestCluster.OPTIONS.withPublishing(10_000, TestCluster.PATIENCE));
        RegionAccess.Region region = serving(node);
        String value = "x".repeat(500);
        for (int i = 0; i < 100; i++) {
            put(region, "k" + i, value + i);
        }
        long id = region.shape().getRegionId();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(cluster.wal.entries(1, id)).isLessThan(60));
        assertThat(node.store.unpublishedBytes()).isLessThan(40_000);
    }

    @Test
    void aRegionIsPublishedWhenAWalNodeAsksForRoom() throws Exception {
        TestCluster.Node node =
                cluster.start(
                        "a",
                        TestCluster.OPTIONS.withPublishing(Long.MAX_VALUE, Duration.ofHours(1)));
        RegionAccess.Region region = serving(node);
        put(region, "k", "v");
        long id = region.shape().getRegionId();
        assertThat(cluster.bucket.list("record/", "", 100)).isEmpty();
        cluster.wal.want(2, id);
        await().atMost(PATIENCE).until(() -> node.store.unpublishedBytes() == 0);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(cluster.wal.entries(2, id)).isLessThan(3));
    }

    @Test
    void aRegionIsPublishedByAgeAndThenRests() throws Exception {
        TestCluster.Node node =
                cluster.start(
                        "a",
                        TestCluster.OPTIONS.withPublishing(Long.MAX_VALUE, Duration.ofMillis(300)));
        RegionAccess.Region region = serving(node);
        put(region, "k", "v");
        await().atMost(PATIENCE).until(() -> node.store.unpublishedBytes() == 0);
        int records = cluster.bucket.list("record/", "", 100).size();
        assertThat(records).isPositive();
        await().during(Duration.ofMillis(1000))
                .atMost(PATIENCE)
                .until(() -> cluster.bucket.list("record/", "", 100).size() == records);
    }

    @Test
    void anObjectStoreThatIsAwayStopsWritesOnlyWhenTooMuchWaits() throws Exception {
        TestCluster.Node node =
                cluster.start(
                        "a",
                        TestCluster.OPTIONS
                                .withPublishing(4_000, TestCluster.PATIENCE)
                                .withUnpublishedMax(60_000));
        RegionAccess.Region region = serving(node);
        cluster.faults.setOutage(true);
        String value = "x".repeat(1000);
        int written = 0;
        KvError refused = null;
        while (refused == null && written < 1000) {
            try {
                put(region, "k" + written, value);
                written++;
            } catch (Exception e) {
                refused = error(e);
            }
        }
        assertThat(refused).isInstanceOf(KvError.ServerIsBusy.class);
        assertThat(written).isBetween(50, 100);
        assertThat(get(region, "k" + (written - 1))).isEqualTo(value);
        cluster.faults.setOutage(false);
        cluster.putAnywhere("k0", "after");
        await().atMost(PATIENCE).until(() -> node.store.unpublishedBytes() < 10_000);
        assertThat(get(region, "k" + (written - 1))).isEqualTo(value);
    }

    private RegionAccess.Region serving(TestCluster.Node node) {
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        return node.region(id);
    }

    @Test
    void anIdleRegionRestsUntilItIsUsed() throws Exception {
        TestCluster.Node node =
                cluster.start("a", TestCluster.OPTIONS.withPublishing(1, Duration.ofMillis(10)));
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        put(node.region(id), "k", "v");
        await().atMost(PATIENCE).until(() -> node.store.restingRegions() == 1);
        assertThat(get(node.region(id), "k")).isEqualTo("v");
        put(node.region(id), "k", "w");
        await().atMost(PATIENCE).until(() -> node.store.restingRegions() == 1);
        // Its leases go on without it, and a node that comes back wakes it.
        cluster.wal.stop(2);
        cluster.wal.restart(2);
        cluster.wal.stop(1);
        assertThat(get(node.region(id), "k")).isEqualTo("w");
        put(node.region(id), "k", "x");
        cluster.wal.restart(1);
        await().atMost(PATIENCE).until(() -> node.store.restingRegions() == 1);
        assertThat(get(node.region(id), "k")).isEqualTo("x");
    }
}
