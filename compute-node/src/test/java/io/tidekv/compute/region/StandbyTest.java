package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidekv.proto.cluster.StandbyReport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Warm copies of regions. That one is really used shows while the object store is away: nobody else
 * can open the region then.
 */
class StandbyTest {
    private final TestCluster cluster = new TestCluster();
    private TestCluster.Node a;
    private TestCluster.Node b;
    private long id;

    @BeforeEach
    void two() {
        a = cluster.start("a");
        id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        b = cluster.start("b");
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void follow() {
        // As PD does it, until the report shows its effect.
        await().atMost(PATIENCE)
                .until(
                        () -> {
                            cluster.pd.follow(id, b.id());
                            return b.store.standbys().containsKey(id);
                        });
        awaitReady();
    }

    private void awaitReady() {
        await().atMost(PATIENCE)
                .until(
                        () -> {
                            StandbyReport report = b.store.standbys().get(id);
                            return report != null && report.getReady();
                        });
    }

    @Test
    void aMoveToAWarmTargetNeedsNoObjectStore() throws Exception {
        put(a.region(id), "k0", "before");
        follow();
        try (Load load = new Load(cluster, "k", 500)) {
            await().atMost(PATIENCE).until(() -> load.count() > 100);
            cluster.faults.setOutage(true);
            load.takeGapMillis();
            cluster.pd.moveWarm(id, b.id());
            cluster.awaitLeading(id, b);
            long at = load.count();
            await().atMost(PATIENCE).until(() -> load.count() > at + 50);
            System.out.println("warm move: writes waited for " + load.takeGapMillis() + " ms");
            load.stop();
            load.verify();
        }
        assertThat(b.store.standbys()).isEmpty();
        cluster.faults.setOutage(false);
        // What was only in the log is published by the new owner, on top of the old record.
        cluster.pd.follow(id, a.id());
        await().atMost(PATIENCE).until(() -> a.store.standbys().containsKey(id));
        await().atMost(PATIENCE).until(() -> a.store.standbys().get(id).getReady());
    }

    @Test
    void aStandbyTakesOverWhenTheLeaderDies() throws Exception {
        follow();
        for (int i = 0; i < 200; i++) {
            put(a.region(id), "k" + i, "v" + i);
        }
        cluster.faults.setOutage(true);
        a.kill();
        cluster.pd.fail(a.id());
        cluster.awaitLeading(id, b);
        for (int i = 0; i < 200; i++) {
            assertThat(cluster.getAnywhere("k" + i)).isEqualTo("v" + i);
        }
    }

    @Test
    void aStandbyHasLargeWritesWhole() throws Exception {
        TestCluster.large(a.region(id), "before").get(60, TimeUnit.SECONDS);
        follow();
        TestCluster.large(a.region(id), "after").get(60, TimeUnit.SECONDS);
        put(a.region(id), "k", "v");
        cluster.faults.setOutage(true);
        cluster.pd.moveWarm(id, b.id());
        cluster.awaitLeading(id, b);
        assertThat(cluster.getAnywhere("k")).isEqualTo("v");
        for (String name : List.of("before", "after")) {
            assertThat(TestCluster.largeRows(b.region(id), name)).isEqualTo(TestCluster.LARGE_ROWS);
        }
    }

    @Test
    void newRecordsAreAdopted() throws Exception {
        TestCluster.Node c =
                cluster.start("c", TestCluster.OPTIONS.withPublishing(1, Duration.ofHours(1)));
        cluster.pd.move(id, c.id());
        cluster.awaitLeading(id, c);
        follow();
        for (int round = 0; round < 3; round++) {
            long before = b.store.standbys().get(id).getRecordIndex();
            for (int i = 0; i < 20; i++) {
                put(c.region(id), "k" + i, "r" + round);
            }
            await().atMost(PATIENCE)
                    .until(() -> b.store.standbys().get(id).getRecordIndex() > before);
            awaitReady();
        }
        await().atMost(PATIENCE).until(() -> c.store.restingRegions() == 1);
        cluster.faults.setOutage(true);
        put(c.region(id), "last", "one");
        c.kill();
        cluster.pd.seize(id, b.id());
        cluster.awaitLeading(id, b);
        assertThat(cluster.getAnywhere("k7")).isEqualTo("r2");
        assertThat(cluster.getAnywhere("last")).isEqualTo("one");
    }

    @Test
    void aNodeThatGoesAwayIsReplacedByAnother() throws Exception {
        follow();
        for (long wal = 1; wal <= 3; wal++) {
            cluster.wal.stop(wal);
            put(a.region(id), "k" + wal, "v");
            cluster.wal.restart(wal);
        }
        put(a.region(id), "end", "v");
        long before = b.store.standbys().get(id).getAppliedIndex();
        put(a.region(id), "behind", "v");
        await().atMost(PATIENCE).until(() -> b.store.standbys().get(id).getAppliedIndex() > before);
        cluster.faults.setOutage(true);
        a.kill();
        cluster.pd.fail(a.id());
        cluster.awaitLeading(id, b);
        assertThat(cluster.getAnywhere("end")).isEqualTo("v");
    }

    @Test
    void aCopyThatNobodyWantsIsClosed() {
        follow();
        cluster.pd.unfollow(id, b.id());
        await().atMost(PATIENCE).until(() -> b.store.standbys().isEmpty());
    }
}
