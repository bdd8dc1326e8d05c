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
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ChangeVoters;
import io.tidekv.proto.cluster.MergeRefusal;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.region.VoterConfig;
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
        split(TestCluster.OPTIONS);
    }

    private void split(StoreOptions options) throws Exception {
        a = cluster.start("a", options);
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
        cluster.mergeUntil(source, target, () -> !cluster.pd.regionIds().contains(source));
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
        cluster.dieMerging(a, kind, told, left, right);
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
        cluster.mergeUntil(left, right, () -> taken.await(1, TimeUnit.MILLISECONDS));
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
        assertThat(awaitRefusal("flashback").getLasting()).isTrue();
        assertThat(cluster.pd.regionIds()).hasSize(2);
        a.region(shut).flashback(version, 0).get(60, TimeUnit.SECONDS);
        merge(left, right);
        check();
    }

    /** Orders the merge until the target has said why nothing comes of it. */
    private MergeRefusal awaitRefusal(String reason) {
        cluster.mergeUntil(left, right, () -> refusal().getReason().contains(reason));
        return refusal();
    }

    private MergeRefusal refusal() {
        return a.store.reports().get(right).getMergeRefusal();
    }

    /** A child that its voters do not know lives on the log of its parent, of either of the two. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRegionThatIsBeingSplitIsNotMerged(boolean isSource) throws Exception {
        split();
        // Both have published, so that nothing else is in the way.
        awaitMergeable();
        cluster.wal.loseCreates(true);
        RegionAccess.Region parent = a.region(isSource ? left : right);
        parent.split(parent.shape().getVersion(), List.of(bytes(isSource ? "c" : "x")));
        await().atMost(PATIENCE).until(() -> parent.shape().getVersion() > 2);
        assertThat(awaitRefusal("changing otherwise").getLasting()).isFalse();
        cluster.wal.loseCreates(false);
        // A parent keeps its right end: the target is not the source's neighbour any more.
        if (isSource) {
            merge(left, right);
        }
        check();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRegionWhoseVotersAreBeingChangedIsNotMerged(boolean isSource) throws Exception {
        split();
        awaitMergeable();
        long changing = isSource ? left : right;
        VoterConfig now = cluster.pd.report(changing).getConfig();
        VoterConfig more =
                now.toBuilder().setGeneration(now.getGeneration() + 1).addWalIds(99).build();
        cluster.pd.order(
                changing,
                StoreCommand.newBuilder()
                        .setChangeVoters(
                                ChangeVoters.newBuilder().setRegionId(changing).setTarget(more))
                        .build());
        await().atMost(PATIENCE).until(() -> cluster.pd.report(changing).hasVoterChange());
        assertThat(awaitRefusal("changing otherwise").getLasting()).isFalse();
        check();
    }

    /** Both regions have nothing left to do with their split. */
    private void awaitMergeable() {
        await().atMost(PATIENCE)
                .until(
                        () ->
                                List.of(left, right).stream()
                                        .allMatch(
                                                id ->
                                                        cluster.pd
                                                                        .report(id)
                                                                        .getRoots()
                                                                        .getPinsCount()
                                                                == 0));
    }

    /** Its parent, which is not part of the merge, does not wait for it for ever. */
    @Test
    void aChildBecomesPartOfItsNeighbourBeforeItsParentHasLooked() throws Exception {
        split();
        awaitMergeable();
        cluster.wal.loseLooks(true);
        RegionAccess.Region parent = a.region(right);
        long child =
                parent.split(parent.shape().getVersion(), List.of(bytes("t")))
                        .get(60, TimeUnit.SECONDS)
                        .get(0)
                        .getRegionId();
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 3);
        merge(child, left);
        assertThat(cluster.pd.report(right).getRoots().getPinsCount()).isOne();
        cluster.wal.loseLooks(false);
        await().atMost(PATIENCE)
                .until(() -> cluster.pd.report(right).getRoots().getPinsCount() == 0);
        check();
        merge(left, right);
        check();
    }

    /** Neither has its tablet open when the order comes. */
    @Test
    void regionsAtRestAreMerged() throws Exception {
        split(
                TestCluster.OPTIONS
                        .withPublishing(1, Duration.ofMillis(100))
                        .withTablets(0, Duration.ofMillis(200)));
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () ->
                                a.store.openTablets() == 0
                                        && a.store.reports().values().stream()
                                                .allMatch(RegionReport::getHibernated));
        merge(left, right);
        check();
        // And it rests again, as one.
        await().atMost(PATIENCE)
                .until(() -> a.store.openTablets() == 0 && a.store.regions().size() == 1);
        check();
    }

    /**
     * As long as PD has not heard of a merge the log shows it, whatever has been published since:
     * whoever comes next opens the tablet and reports, and the source is not taken for free.
     */
    @Test
    void aMergeThatIsNotReportedStaysInTheLog() throws Exception {
        split(TestCluster.OPTIONS.withPublishing(1, Duration.ofHours(1)));
        cluster.pd.holdMerges(true);
        cluster.mergeUntil(left, right, () -> a.region(right).shape().getStartKey().isEmpty());
        cluster.putAnywhere("b", "since");
        written.put("b", "since");
        await().atMost(PATIENCE).until(() -> a.store.unpublishedBytes() == 0);
        TestCluster.Node b = cluster.start("b", TestCluster.OPTIONS.withTablets(0, Duration.ZERO));
        a.kill();
        cluster.pd.fail(a.id());
        await().atMost(PATIENCE).until(() -> b.store.reports().containsKey(right));
        cluster.pd.holdMerges(false);
        await().atMost(PATIENCE)
                .until(
                        () ->
                                cluster.pd.regionIds().equals(List.of(right))
                                        && b.store.regions().size() == 1);
        check();
    }

    /** PD orders the source to be led until it has heard that it is gone, which is never undone. */
    @Test
    void anOrderToLeadWhatIsGoneLeavesNothing() throws Exception {
        split();
        StoreCommand order =
                StoreCommand.newBuilder()
                        .setAssign(
                                Assign.newBuilder()
                                        .setShape(cluster.pd.shape(left))
                                        .setTerm(cluster.pd.term(left))
                                        .setConfig(cluster.pd.report(left).getConfig()))
                        .build();
        cluster.pd.holdMerges(true);
        cluster.mergeUntil(left, right, () -> a.region(right).shape().getStartKey().isEmpty());
        await().atMost(PATIENCE).until(() -> !a.store.reports().containsKey(left));
        for (int i = 0; i < 3; i++) {
            cluster.pd.order(left, order);
            cluster.putAnywhere("b", "since");
        }
        cluster.pd.holdMerges(false);
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().equals(List.of(right)));
        assertThat(a.store.reports()).doesNotContainKey(left);
        assertThat(error(catchThrowable(() -> a.region(left))))
                .isInstanceOf(KvError.RegionNotFound.class);
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
