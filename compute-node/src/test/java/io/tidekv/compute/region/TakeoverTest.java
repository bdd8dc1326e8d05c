package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.error;
import static io.tidekv.compute.region.TestCluster.get;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.error.KvError;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What happens to a region when its store dies, sleeps, moves it, or ends. */
class TakeoverTest {
    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void nothingAcknowledgedIsLostWhenAStoreDies() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        TestCluster.Node b = cluster.start("b");
        try (Load load = new Load(cluster, "k", 200)) {
            await().atMost(PATIENCE).until(() -> load.count() > 300);
            load.takeGapMillis();
            a.kill();
            cluster.pd.fail(a.id());
            cluster.awaitLeading(id, b);
            long before = load.count();
            await().atMost(PATIENCE).until(() -> load.count() > before + 100);
            System.out.println("takeover: writes waited for " + load.takeGapMillis() + " ms");
            load.stop();
            load.verify();
        }
    }

    @Test
    void aLargeWriteIsThereWholeOrNotAtAll() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region region = a.region(id);
        TestCluster.large(region, "whole").get(60, TimeUnit.SECONDS);
        TestCluster.Node b = cluster.start("b");
        Future<?> cut = TestCluster.large(region, "cut");
        a.kill();
        cluster.pd.fail(a.id());
        cluster.awaitLeading(id, b);
        assertThat(TestCluster.largeRows(b.region(id), "whole")).isEqualTo(TestCluster.LARGE_ROWS);
        int rows = TestCluster.largeRows(b.region(id), "cut");
        assertThat(rows).isIn(0, TestCluster.LARGE_ROWS);
        assertThat(rows == 0 && cut.isDone() && error(catchThrowable(cut::get)) == null)
                .as("acknowledged and lost")
                .isFalse();
        TestCluster.large(b.region(id), "after").get(60, TimeUnit.SECONDS);
        assertThat(TestCluster.largeRows(b.region(id), "after")).isEqualTo(TestCluster.LARGE_ROWS);
    }

    @Test
    void aStoreWithAnEmptyDiskGoesOnFromTheRecordAndTheLog() throws Exception {
        TestCluster.Node a =
                cluster.start("a", TestCluster.OPTIONS.withPublishing(3_000, PATIENCE));
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region region = a.region(id);
        for (int i = 0; i < 100; i++) {
            put(region, "k" + i, "x".repeat(100) + i);
        }
        await().atMost(PATIENCE).until(() -> a.store.unpublishedBytes() < 6_000);
        a.kill();
        // The same address: a stranger to its own past.
        TestCluster.Node again = cluster.start("a");
        cluster.awaitLeading(id, again);
        assertThat(cluster.pd.term(id)).isEqualTo(2);
        for (int i = 0; i < 100; i++) {
            assertThat(get(again.region(id), "k" + i)).isEqualTo("x".repeat(100) + i);
        }
    }

    @Test
    void aLeaderThatHasLostItsVotersNeitherAnswersNorPublishes() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region zombie = a.region(id);
        put(zombie, "k", "old");
        TestCluster.Node b = cluster.start("b");
        a.isolate();
        cluster.pd.seize(id, b.id());
        cluster.awaitLeading(id, b);
        put(b.region(id), "k", "new");
        // By its own lights the zombie still leads; what it answers must not be old.
        KvError refused = error(catchThrowable(() -> get(zombie, "k")));
        assertThat(refused).isInstanceOfAny(KvError.ServerIsBusy.class, KvError.NotLeader.class);
        assertThat(error(catchThrowable(() -> put(zombie, "k", "zombie"))))
                .isInstanceOfAny(KvError.Undetermined.class, KvError.NotLeader.class);
        a.reconnect();
        await().atMost(PATIENCE)
                .untilAsserted(
                        () ->
                                assertThat(error(catchThrowable(() -> get(zombie, "k"))))
                                        .isInstanceOf(KvError.NotLeader.class));
        assertThat(get(b.region(id), "k")).isEqualTo("new");
        await().atMost(PATIENCE).until(() -> !a.store.reports().containsKey(id));
    }

    @Test
    void aPausedProcessNoticesAtItsFirstStep() throws Exception {
        PausableClock clock = new PausableClock();
        TestCluster.Node a = cluster.start("a", TestCluster.OPTIONS, clock);
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region region = a.region(id);
        put(region, "k", "v");
        await().atMost(PATIENCE).until(() -> region.read(1).isDone());
        // Nothing of the process has run meanwhile, so its published lease is still there.
        clock.pauseNanos.set(Duration.ofSeconds(20).toNanos());
        cluster.wal.mute(a.registered.getOwner(), true);
        assertThat(region.read(1)).as("no answer on a lapsed lease").isNotDone();
        cluster.wal.mute(a.registered.getOwner(), false);
        assertThat(cluster.getAnywhere("k")).isEqualTo("v");
    }

    @Test
    void aJumpOfTheWallClockGivesTheLeaseUp() throws Exception {
        PausableClock clock = new PausableClock();
        TestCluster.Node a = cluster.start("a", TestCluster.OPTIONS, clock);
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region region = a.region(id);
        put(region, "k", "v");
        await().atMost(PATIENCE).until(() -> region.read(1).isDone());
        clock.wallMillis.set(5_000);
        cluster.wal.mute(a.registered.getOwner(), true);
        assertThat(region.read(1)).as("a machine that slept sees no monotonic time").isNotDone();
        cluster.wal.mute(a.registered.getOwner(), false);
        assertThat(cluster.getAnywhere("k")).isEqualTo("v");
    }

    @Test
    void aMoveUnderLoadLosesNothing() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        TestCluster.Node b = cluster.start("b");
        try (Load load = new Load(cluster, "k", 200)) {
            await().atMost(PATIENCE).until(() -> load.count() > 200);
            for (int i = 0; i < 3; i++) {
                TestCluster.Node to = i % 2 == 0 ? b : a;
                load.takeGapMillis();
                cluster.pd.move(id, to.id());
                cluster.awaitLeading(id, to);
                long before = load.count();
                await().atMost(PATIENCE).until(() -> load.count() > before + 50);
                System.out.println("move: writes waited for " + load.takeGapMillis() + " ms");
            }
            load.stop();
            load.verify();
        }
        assertThat(cluster.pd.shape(id).getConfVer()).isEqualTo(4);
    }

    @Test
    void aMoveWithoutAnObjectStoreIsPutOff() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        TestCluster.Node b = cluster.start("b");
        put(a.region(id), "k", "v");
        cluster.faults.setOutage(true);
        cluster.pd.move(id, b.id());
        await().during(Duration.ofMillis(500))
                .atMost(PATIENCE)
                .until(() -> get(a.region(id), "k").equals("v"));
        cluster.faults.setOutage(false);
        await().atMost(PATIENCE)
                .until(
                        () -> {
                            if (cluster.pd.owner(id).getStoreId() == a.id()) {
                                cluster.pd.move(id, b.id());
                            }
                            RegionReport report = cluster.pd.report(id);
                            return report != null
                                    && cluster.pd.owner(id).getStoreId() == b.id()
                                    && report.getState() == RegionState.LEADING;
                        });
        assertThat(get(b.region(id), "k")).isEqualTo("v");
    }

    @Test
    void anOrderlyEndHandsOverWithoutWaitingForLeases() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        TestCluster.Node b = cluster.start("b");
        try (Load load = new Load(cluster, "k", 100)) {
            await().atMost(PATIENCE).until(() -> load.count() > 200);
            load.takeGapMillis();
            a.close();
            cluster.awaitLeading(id, b);
            long before = load.count();
            await().atMost(PATIENCE).until(() -> load.count() > before + 50);
            System.out.println("shutdown: writes waited for " + load.takeGapMillis() + " ms");
            load.stop();
            load.verify();
        }
    }

    @Test
    void aSecondProcessFencesTheFirst() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        put(a.region(id), "k", "v");
        TestCluster.Node second = cluster.start("a");
        cluster.awaitLeading(id, second);
        a.link.cut(false);
        await().atMost(PATIENCE).until(() -> a.store.regions().isEmpty());
        assertThat(get(second.region(id), "k")).isEqualTo("v");
    }

    @Test
    void aDamagedRecordStopsOneRegionOnly() throws Exception {
        TestCluster.Node a = cluster.start("a", TestCluster.OPTIONS.withPublishing(1, PATIENCE));
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        put(a.region(id), "a", "left");
        put(a.region(id), "z", "right");
        var parts = a.region(id).split(1, List.of(TestCluster.bytes("m")));
        long left = parts.get().get(0).getRegionId();
        put(a.region(left), "a", "left again");
        await().atMost(PATIENCE).until(() -> a.store.unpublishedBytes() == 0);
        a.kill();
        for (var object : cluster.bucket.list("record/" + left + "/", "", 100)) {
            cluster.bucket.delete(object.name());
        }
        TestCluster.Node b = cluster.start("b");
        cluster.pd.fail(a.id());
        cluster.awaitLeading(id, b);
        assertThat(get(b.region(id), "z")).isEqualTo("right");
        await().atMost(PATIENCE)
                .untilAsserted(
                        () ->
                                assertThat(b.store.reports().get(left).getError())
                                        .contains("record/" + left + "/"));
    }

    /** A clock that can be moved, as a stopped or sleeping process sees it. */
    private static final class PausableClock implements Clock {
        private final AtomicLong pauseNanos = new AtomicLong();
        private final AtomicLong wallMillis = new AtomicLong();

        @Override
        public long monotonicNanos() {
            return SystemClock.INSTANCE.monotonicNanos() + pauseNanos.get();
        }

        @Override
        public long wallMillis() {
            return SystemClock.INSTANCE.wallMillis()
                    + wallMillis.get()
                    + pauseNanos.get() / 1_000_000;
        }
    }
}
