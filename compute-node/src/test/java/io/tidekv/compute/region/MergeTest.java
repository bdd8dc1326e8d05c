package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.bytes;
import static io.tidekv.compute.region.TestCluster.error;
import static io.tidekv.compute.region.TestCluster.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two neighbours become one region, whoever dies meanwhile. */
class MergeTest {
    private final TestCluster cluster = new TestCluster();
    private final Map<String, String> written = new TreeMap<>();
    private TestCluster.Node a;
    private long left;
    private long right;

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** A cluster of two regions that have nothing to do with each other any more. */
    private void split() throws Exception {
        a = cluster.start("a");
        right = cluster.onlyRegion();
        cluster.awaitLeading(right, a);
        for (char key = 'a'; key <= 'z'; key++) {
            put(a.region(right), String.valueOf(key), "v" + key);
            written.put(String.valueOf(key), "v" + key);
        }
        List<RegionShape> parts =
                a.region(right).split(1, List.of(bytes("m"))).get(60, TimeUnit.SECONDS);
        left = parts.get(0).getRegionId();
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 2);
    }

    /** Orders are repeated, as PD does: the regions may still have to do with their split. */
    private void merge(long source, long target) {
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> {
                            if (!cluster.pd.regionIds().contains(source)) {
                                return true;
                            }
                            cluster.pd.merge(source, target);
                            return false;
                        });
    }

    private void check() {
        written.forEach(
                (key, value) -> assertThat(cluster.getAnywhere(key)).as(key).isEqualTo(value));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void neighboursBecomeOneWhileTheyAreWrittenTo(boolean intoTheRight) throws Exception {
        split();
        long source = intoTheRight ? left : right;
        long target = intoTheRight ? right : left;
        Thread order = new Thread(() -> merge(source, target));
        order.start();
        for (int i = 0; cluster.pd.regionIds().size() == 2; i++) {
            cluster.putAnywhere("a" + i, "during");
            cluster.putAnywhere("z" + i, "during");
            written.put("a" + i, "during");
            written.put("z" + i, "during");
        }
        order.join();
        RegionShape shape = a.region(target).shape();
        assertThat(shape.getStartKey()).isEqualTo(ByteString.EMPTY);
        assertThat(shape.getEndKey()).isEqualTo(ByteString.EMPTY);
        assertThat(shape.getVersion()).isEqualTo(3);
        assertThat(cluster.pd.shape(target)).isEqualTo(shape);
        await().atMost(PATIENCE)
                .until(
                        () ->
                                catchThrowable(() -> a.region(source)) != null
                                        && !a.store.reports().containsKey(source));
        assertThat(error(catchThrowable(() -> a.region(source))))
                .isInstanceOf(KvError.RegionNotFound.class);
        assertThat(a.store.regions()).hasSize(1);
        check();
        // The voters of the region that is gone have nothing to keep.
        await().atMost(PATIENCE).until(() -> cluster.wal.entries(1, source) <= 0);
        // And the log of the one that is left tells another owner the same.
        TestCluster.Node b = cluster.start("b");
        a.kill();
        cluster.pd.fail(a.id());
        await().atMost(PATIENCE).until(() -> covers(b));
        assertThat(b.store.regions()).hasSize(1);
        check();
    }

    /** More of them with {@code -Dtidekv.crashes=all}. */
    static List<Arguments> deaths() {
        List<Arguments> some =
                List.of(
                        Arguments.of(EntryKind.PREPARE_MERGE, 3),
                        Arguments.of(EntryKind.COMMIT_MERGE, 1),
                        Arguments.of(EntryKind.COMMIT_MERGE, 3));
        if (!"all".equals(System.getProperty("tidekv.crashes"))) {
            return some;
        }
        List<Arguments> all = new ArrayList<>(some);
        for (EntryKind kind :
                List.of(
                        EntryKind.PREPARE_MERGE,
                        EntryKind.COMMIT_MERGE,
                        EntryKind.MERGE_REPORTED)) {
            for (int told : List.of(0, 2, 4, 6)) {
                all.add(Arguments.of(kind, told));
            }
        }
        return all;
    }

    /** As kill -9 when so many voters have been told of an entry. */
    @ParameterizedTest
    @MethodSource("deaths")
    void anOwnerThatDiesDuringAMergeLeavesOneOutcome(EntryKind kind, int told) throws Exception {
        split();
        CountDownLatch dead = new CountDownLatch(1);
        cluster.wal.afterEntry(
                a.registered.getOwner(),
                kind,
                told,
                () -> {
                    a.isolate();
                    dead.countDown();
                });
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> {
                            if (cluster.pd.regionIds().size() == 2) {
                                cluster.pd.merge(left, right);
                            }
                            return dead.await(1, TimeUnit.MILLISECONDS);
                        });
        a.kill();
        TestCluster.Node b = cluster.start("b");
        cluster.pd.fail(a.id());
        await().atMost(PATIENCE)
                .until(
                        () ->
                                covers(b)
                                        && b.store.regions().size()
                                                == cluster.pd.regionIds().size());
        System.out.println(kind + " " + told + ": " + b.store.regions().size() + " regions");
        check();
        cluster.putAnywhere("b", "again");
        cluster.putAnywhere("y", "again");
        assertThat(cluster.getAnywhere("b")).isEqualTo("again");
        assertThat(cluster.getAnywhere("y")).isEqualTo("again");
        // What was sealed is open: the two, if they are two, can still become one.
        if (cluster.pd.regionIds().contains(left)) {
            merge(left, right);
        }
        await().atMost(PATIENCE).until(() -> b.store.regions().size() == 1);
        assertThat(cluster.getAnywhere("b")).isEqualTo("again");
        assertThat(cluster.getAnywhere("x")).isEqualTo("vx");
    }

    /** One of the two is given to another store just when the other has to decide. */
    @ParameterizedTest
    @CsvSource({"COMMIT_MERGE, true", "COMMIT_MERGE, false"})
    void aRegionThatIsTakenDuringAMergeLeavesOneOutcome(EntryKind kind, boolean takesSource)
            throws Exception {
        split();
        TestCluster.Node b = cluster.start("b");
        CountDownLatch taken = new CountDownLatch(1);
        cluster.wal.afterEntry(a.registered.getOwner(), kind, 2, taken::countDown);
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> {
                            if (cluster.pd.regionIds().size() == 2) {
                                cluster.pd.merge(left, right);
                            }
                            return taken.await(1, TimeUnit.MILLISECONDS);
                        });
        long which = takesSource ? left : right;
        if (cluster.pd.regionIds().contains(which)) {
            cluster.pd.seize(which, b.id());
        }
        check();
        cluster.putAnywhere("b", "again");
        cluster.putAnywhere("y", "again");
        assertThat(cluster.getAnywhere("b")).isEqualTo("again");
        assertThat(cluster.getAnywhere("y")).isEqualTo("again");
        await().atMost(PATIENCE)
                .until(
                        () ->
                                a.store.regions().size() + b.store.regions().size()
                                        == cluster.pd.regionIds().size());
    }

    @Test
    void aMergeThatCannotBeStoredIsGivenUp() throws Exception {
        split();
        cluster.putAnywhere("bb", "1");
        cluster.faults.setOutage(true);
        for (int i = 0; i < 20; i++) {
            cluster.pd.merge(left, right);
            cluster.putAnywhere("c" + i, "1");
            cluster.putAnywhere("z" + i, "1");
        }
        assertThat(cluster.pd.regionIds()).hasSize(2);
        cluster.faults.setOutage(false);
        merge(left, right);
        check();
        assertThat(cluster.getAnywhere("z19")).isEqualTo("1");
    }

    /** Either of the two; PD is told why, and that it will stay so. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRegionInAFlashbackIsNotMerged(boolean isSource) throws Exception {
        split();
        long shut = isSource ? left : right;
        long version = a.region(shut).shape().getVersion();
        a.region(shut).flashback(version, 50).get(60, TimeUnit.SECONDS);
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> {
                            cluster.pd.merge(left, right);
                            return a.store
                                    .reports()
                                    .get(right)
                                    .getMergeRefusal()
                                    .getReason()
                                    .contains("flashback");
                        });
        assertThat(a.store.reports().get(right).getMergeRefusal().getLasting()).isTrue();
        assertThat(cluster.pd.regionIds()).hasSize(2);
        a.region(shut).flashback(version, 0).get(60, TimeUnit.SECONDS);
        merge(left, right);
        check();
    }

    /** In key order, without gaps or overlaps, from the first key to the last. */
    private static boolean covers(TestCluster.Node node) {
        ByteString at = ByteString.EMPTY;
        for (RegionAccess.Region region : node.store.regions()) {
            if (!region.shape().getStartKey().equals(at)) {
                return false;
            }
            at = region.shape().getEndKey();
        }
        return !node.store.regions().isEmpty() && at.isEmpty();
    }
}
