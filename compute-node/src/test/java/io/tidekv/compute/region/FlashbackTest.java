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
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A region that is shut for a flashback stays shut, whoever leads it. */
class FlashbackTest {
    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    private static void assertShut(RegionAccess.Region region) {
        long version = region.shape().getVersion();
        await().atMost(PATIENCE)
                .untilAsserted(
                        () ->
                                assertThat(error(catchThrowable(() -> get(region, "k"))))
                                        .isInstanceOfSatisfying(
                                                KvError.FlashbackInProgress.class,
                                                e -> assertThat(e.startTs()).isEqualTo(50)));
        assertThat(error(catchThrowable(() -> put(region, "k", "late"))))
                .isInstanceOf(KvError.FlashbackInProgress.class);
        assertThat(error(catchThrowable(() -> split(region))))
                .isInstanceOf(KvError.FlashbackInProgress.class);
        assertThat(value(region, Access.readAt(49))).isEqualTo("v");
        assertThat(value(region, Access.FLASHBACK)).isEqualTo("v");
        assertThat(region.shape().getVersion()).isEqualTo(version);
    }

    private void awaitReported(long id, long startTs) {
        await().atMost(PATIENCE)
                .until(() -> cluster.pd.report(id).getFlashbackStartTs() == startTs);
    }

    private static String value(RegionAccess.Region region, Access access) {
        try (KvSnapshot view = region.read(region.shape().getVersion(), access).join()) {
            byte[] value = view.get(Cf.DEFAULT, TestCluster.bytes("k"));
            return value == null ? "" : new String(value, StandardCharsets.UTF_8);
        }
    }

    private static void split(RegionAccess.Region region) throws Exception {
        region.split(region.shape().getVersion(), List.of(TestCluster.bytes("m")))
                .get(60, TimeUnit.SECONDS);
    }

    private static void flashback(RegionAccess.Region region, long startTs) throws Exception {
        region.flashback(region.shape().getVersion(), startTs).get(60, TimeUnit.SECONDS);
    }

    @Test
    void itStaysShutThroughLossMoveAndRecord() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        put(a.region(id), "k", "v");
        flashback(a.region(id), 50);
        assertShut(a.region(id));
        awaitReported(id, 50);
        TestCluster.Node b = cluster.start("b");
        // From the log alone: nothing has been published.
        a.kill();
        cluster.pd.fail(a.id());
        cluster.awaitLeading(id, b);
        assertShut(b.region(id));
        // From a record: an ordered move publishes.
        TestCluster.Node c = cluster.start("c");
        cluster.pd.move(id, c.id());
        cluster.awaitLeading(id, c);
        assertShut(c.region(id));
        awaitReported(id, 50);
        flashback(c.region(id), 0);
        awaitReported(id, 0);
        put(c.region(id), "k", "open");
        assertThat(error(catchThrowable(() -> value(c.region(id), Access.FLASHBACK))))
                .isInstanceOf(KvError.FlashbackNotPrepared.class);
        cluster.pd.move(id, b.id());
        cluster.awaitLeading(id, b);
        assertThat(get(b.region(id), "k")).isEqualTo("open");
        split(b.region(id));
    }

    @Test
    void nothingLetInBeforeIsWrittenAfterItIsShut() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region region = a.region(id);
        for (int round = 0; round < 5; round++) {
            List<CompletableFuture<Void>> writes = new ArrayList<>();
            CompletableFuture<Void> shut = new CompletableFuture<>();
            for (int i = 0; i < 200; i++) {
                byte[] key = TestCluster.bytes(round + "-" + i);
                writes.add(region.write(1, new WriteBatchBuilder().put(Cf.DEFAULT, key, key)));
                if (i == 100) {
                    shut = region.flashback(1, 50);
                }
            }
            shut.get(60, TimeUnit.SECONDS);
            try (KvSnapshot view = region.read(1, Access.FLASHBACK).get(60, TimeUnit.SECONDS)) {
                for (int i = 0; i < 200; i++) {
                    Throwable failure = catchThrowable(writes.get(i)::join);
                    boolean there =
                            view.get(Cf.DEFAULT, TestCluster.bytes(round + "-" + i)) != null;
                    assertThat(there)
                            .as("write %s of round %s", i, round)
                            .isEqualTo(failure == null);
                    if (failure != null) {
                        assertThat(error(failure)).isInstanceOf(KvError.FlashbackInProgress.class);
                    }
                }
            }
            flashback(region, 0);
        }
    }
}
