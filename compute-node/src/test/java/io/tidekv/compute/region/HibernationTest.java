package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.get;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.error.KvError;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.region.RegionShape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Regions that are led without an open tablet: taken over so, or closed because nobody came. */
class HibernationTest {
    /** Opens nothing unasked, and closes nothing. */
    private static final StoreOptions LAZY = TestCluster.OPTIONS.withTablets(0, Duration.ZERO);

    /** Closes at once, and publishes at once, without which nothing could be closed. */
    private static final StoreOptions SLEEPY =
            TestCluster.OPTIONS
                    .withPublishing(1, Duration.ofHours(1))
                    .withTablets(0, Duration.ofMillis(400));

    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** Waits until the node leads the region and has no tablet open, and PD knows. */
    private void awaitHibernation(long id, TestCluster.Node node) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> {
                            RegionReport report = node.store.reports().get(id);
                            return report != null
                                    && report.getHibernated()
                                    && node.store.openTablets() == 0
                                    && report.equals(cluster.pd.report(id));
                        });
    }

    /** A region of a few keys, of which everything is published. */
    private long published(TestCluster.Node node) throws Exception {
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        for (int i = 0; i < 20; i++) {
            put(node.region(id), "k" + i, "v" + i);
        }
        await().atMost(PATIENCE).until(() -> node.store.unpublishedBytes() == 0);
        return id;
    }

    @Test
    void aPublishedRegionIsTakenOverWithoutItsTablet() throws Exception {
        TestCluster.Node a = cluster.start("a", TestCluster.OPTIONS.withPublishing(1, PATIENCE));
        long id = published(a);
        TestCluster.Node b = cluster.start("b", LAZY);
        a.kill();
        // It is led although nobody could open it.
        cluster.faults.setOutage(true);
        cluster.pd.fail(a.id());
        awaitHibernation(id, b);
        assertThat(cluster.pd.report(id).getRoots().hasRecord()).isTrue();
        RegionAccess.Region region = b.region(id);
        var early = region.read(region.shape().getVersion());
        assertThat(early).as("nothing is answered without the tablet").isNotDone();
        cluster.faults.setOutage(false);
        early.get(60, TimeUnit.SECONDS).close();
        for (int i = 0; i < 20; i++) {
            assertThat(get(region, "k" + i)).isEqualTo("v" + i);
        }
        assertThat(b.store.openTablets()).isOne();
        await().atMost(PATIENCE).until(() -> !cluster.pd.report(id).getHibernated());
    }

    @Test
    void whatIsOnlyInTheLogOpensTheTablet() throws Exception {
        TestCluster.Node a = cluster.start("a", TestCluster.OPTIONS.withPublishing(1, PATIENCE));
        long id = published(a);
        TestCluster.Node b = cluster.start("b", LAZY);
        cluster.faults.setOutage(true);
        put(a.region(id), "last", "in the log");
        a.close();
        await().atMost(PATIENCE).until(() -> cluster.pd.owner(id).getStoreId() == b.id());
        cluster.faults.setOutage(false);
        cluster.awaitLeading(id, b);
        assertThat(b.store.openTablets()).isOne();
        assertThat(get(b.region(id), "last")).isEqualTo("in the log");
        assertThat(get(b.region(id), "k7")).isEqualTo("v7");
    }

    @Test
    void anIdleTabletIsClosedAndNothingIsLost() throws Exception {
        TestCluster.Node a = cluster.start("a", SLEEPY);
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        for (int round = 0; round < 3; round++) {
            put(a.region(id), "round" + round, "written");
            awaitHibernation(id, a);
            for (int i = 0; i <= round; i++) {
                assertThat(get(a.region(id), "round" + i)).isEqualTo("written");
            }
            awaitHibernation(id, a);
        }
        assertThat(cluster.pd.term(id)).isOne();
        TestCluster.Node b = cluster.start("b", LAZY);
        a.close();
        awaitHibernation(id, b);
        for (int round = 0; round < 3; round++) {
            assertThat(get(b.region(id), "round" + round)).isEqualTo("written");
        }
    }

    @Test
    void manyWakeItAtOnce() throws Exception {
        TestCluster.Node a = cluster.start("a", SLEEPY);
        long id = published(a);
        RegionAccess.Region region = a.region(id);
        for (int round = 0; round < 3; round++) {
            awaitHibernation(id, a);
            List<CompletableFuture<?>> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                all.add(TestCluster.write(region, 1, "w" + i, "round" + round));
                all.add(region.read(1).thenAccept(KvSnapshot::close));
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new))
                    .get(60, TimeUnit.SECONDS);
            for (int i = 0; i < 50; i++) {
                assertThat(get(region, "w" + i)).isEqualTo("round" + round);
            }
        }
    }

    @Test
    void ordersReachARegionAtRest() throws Exception {
        TestCluster.Node a = cluster.start("a", SLEEPY);
        long id = published(a);
        awaitHibernation(id, a);
        // A move needs neither the tablet nor the object store.
        TestCluster.Node b = cluster.start("b", LAZY);
        cluster.faults.setOutage(true);
        cluster.pd.move(id, b.id());
        awaitHibernation(id, b);
        cluster.faults.setOutage(false);
        List<RegionShape> shapes =
                b.region(id).split(1, List.of(TestCluster.bytes("k5"))).get(60, TimeUnit.SECONDS);
        assertThat(shapes).hasSize(2);
        for (int i = 0; i < 20; i++) {
            assertThat(cluster.getAnywhere("k" + i)).isEqualTo("v" + i);
        }
    }

    @Test
    void writesThatWaitForTheTabletAreCheckedWhenItIsThere() throws Exception {
        TestCluster.Node a = cluster.start("a", SLEEPY);
        long id = published(a);
        awaitHibernation(id, a);
        cluster.faults.setOutage(true);
        RegionAccess.Region region = a.region(id);
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            writes.add(TestCluster.write(region, 1, "w" + i, "late"));
        }
        CompletableFuture<Void> stale = TestCluster.write(region, 7, "w", "stale");
        cluster.faults.setOutage(false);
        CompletableFuture.allOf(writes.toArray(CompletableFuture<?>[]::new))
                .get(60, TimeUnit.SECONDS);
        assertThat(TestCluster.error(catchThrowable(() -> stale.get(60, TimeUnit.SECONDS))))
                .isInstanceOf(KvError.EpochNotMatch.class);
        assertThat(get(region, "w9")).isEqualTo("late");
    }
}
