package io.tidekv.compute.region;

import static io.tidekv.compute.region.TestCluster.PATIENCE;
import static io.tidekv.compute.region.TestCluster.bytes;
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
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SplitTest {
    private final TestCluster cluster = new TestCluster();

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void anEmptyRegionIsSplitByRequest() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        List<RegionShape> parts =
                node.region(id).split(1, List.of(bytes("g"), bytes("p"))).get(60, TimeUnit.SECONDS);
        assertThat(parts).hasSize(3);
        assertThat(parts.get(2).getRegionId()).as("the right part keeps the id").isEqualTo(id);
        assertTiled(parts);
        for (RegionShape part : parts) {
            assertThat(part.getVersion()).isEqualTo(3);
            assertThat(node.region(part.getRegionId()).shape()).isEqualTo(part);
        }
        cluster.putAnywhere("a", "1");
        cluster.putAnywhere("h", "2");
        cluster.putAnywhere("z", "3");
        assertThat(get(node.region(parts.get(1).getRegionId()), "h")).isEqualTo("2");
        await().atMost(PATIENCE).until(() -> cluster.pd.regionIds().size() == 3);
    }

    @Test
    void pdIsToldWhatTheObjectStoreMustKeep() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        cluster.putAnywhere("h", "1");
        List<RegionShape> parts =
                node.region(id).split(1, List.of(bytes("g"))).get(10, TimeUnit.SECONDS);
        long child = parts.get(0).getRegionId();
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> {
                            assertThat(cluster.pd.report(child).getRoots().getRecord().getKey())
                                    .startsWith("record/" + child + "/");
                            assertThat(cluster.pd.report(id).hasRoots()).isTrue();
                            assertThat(cluster.pd.report(id).getRoots().getPinsList())
                                    .as("the child does not depend on its parent any more")
                                    .isEmpty();
                        });
    }

    @Test
    void aClientWithTheOldVersionLearnsTheParts() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        RegionAccess.Region region = node.region(id);
        List<RegionShape> parts =
                region.split(1, List.of(bytes("g"), bytes("p"))).get(60, TimeUnit.SECONDS);
        KvError.EpochNotMatch error =
                (KvError.EpochNotMatch)
                        error(catchThrowable(() -> region.read(1).get(60, TimeUnit.SECONDS)));
        assertThat(error.current())
                .extracting(KvError.Route::shape)
                .containsExactly(parts.get(2), parts.get(1), parts.get(0));
        Throwable outside = catchThrowable(() -> put(region, "a", "x"));
        assertThat(error(outside)).isInstanceOf(KvError.KeyNotInRegion.class);
    }

    @Test
    void keysThatDoNotDivideAreRefused() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        RegionAccess.Region region = node.region(id);
        region.split(1, List.of(bytes("g"))).get(60, TimeUnit.SECONDS);
        for (List<byte[]> keys :
                List.of(
                        List.of(bytes("g")),
                        List.of(bytes("a")),
                        List.of(bytes("z"), bytes("h")),
                        List.of(bytes("h"), bytes("h")))) {
            Throwable refused =
                    catchThrowable(() -> region.split(2, keys).get(60, TimeUnit.SECONDS));
            assertThat(error(refused)).isInstanceOf(KvError.InvalidRequest.class);
        }
    }

    @Test
    void regionsSplitBySizeWhileTheyAreWritten() throws Exception {
        TestCluster.Node a = cluster.start("a", TestCluster.OPTIONS.withSplitBytes(60_000));
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        try (Load load = new Load(cluster, "k", 3000)) {
            await().atMost(PATIENCE.multipliedBy(2)).until(() -> cluster.pd.regionIds().size() > 3);
            System.out.println("splits: writes waited for " + load.takeGapMillis() + " ms");
            load.stop();
            load.verify();
        }
        // A split that is just being applied shows in one region before the other.
        await().atMost(PATIENCE).untilAsserted(() -> assertTiled(shapes(a)));
        // After a restart of everything the same regions hold the same data.
        a.kill();
        TestCluster.Node b = cluster.start("b");
        cluster.pd.fail(a.id());
        await().atMost(PATIENCE)
                .until(() -> b.store.regions().size() == cluster.pd.regionIds().size());
        await().atMost(PATIENCE).untilAsserted(() -> assertTiled(shapes(b)));
    }

    @Test
    void aSplitWithoutAnObjectStoreLeavesTheRegionAsItWas() throws Exception {
        TestCluster.Node node = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, node);
        RegionAccess.Region region = node.region(id);
        put(region, "k", "v");
        cluster.faults.setOutage(true);
        Throwable refused =
                catchThrowable(
                        () -> region.split(1, List.of(bytes("g"))).get(60, TimeUnit.SECONDS));
        assertThat(refused).isNotNull();
        put(region, "k", "w");
        assertThat(get(region, "k")).isEqualTo("w");
        cluster.faults.setOutage(false);
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(
                        () ->
                                region.split(1, List.of(bytes("g")))
                                                .get(60, TimeUnit.SECONDS)
                                                .size()
                                        == 2);
        assertThat(cluster.getAnywhere("k")).isEqualTo("w");
    }

    /** The parent's successor finishes what its predecessor could not tell anybody. */
    @Test
    void aChildThatNobodyHeardOfIsBornAtTheParentsSuccessor() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region region = a.region(id);
        put(region, "a", "left");
        put(region, "z", "right");
        a.link.cutAfterIds(true);
        cluster.wal.loseCreates(true);
        region.split(1, List.of(bytes("m")));
        await().atMost(PATIENCE).until(() -> region.shape().getVersion() == 2);
        a.kill();
        assertThat(cluster.pd.regionIds()).hasSize(1);
        cluster.wal.loseCreates(false);
        TestCluster.Node b = cluster.start("b");
        cluster.pd.fail(a.id());
        await().atMost(PATIENCE).until(() -> b.store.regions().size() == 2);
        assertTiled(shapes(b));
        assertThat(cluster.getAnywhere("a")).isEqualTo("left");
        assertThat(cluster.getAnywhere("z")).isEqualTo("right");
        // And the parent forgets it: another owner has nothing to do for it any more.
        cluster.putAnywhere("a", "left again");
        b.kill();
        TestCluster.Node c = cluster.start("c");
        cluster.pd.fail(b.id());
        await().atMost(PATIENCE).until(() -> c.store.regions().size() == 2);
        assertThat(cluster.getAnywhere("a")).isEqualTo("left again");
    }

    /** Whoever comes between the split and the child's first entry is not sent away. */
    @Test
    void requestsForAChildThatBeginsHereWaitForIt() throws Exception {
        TestCluster.Node a = cluster.start("a");
        long id = cluster.onlyRegion();
        cluster.awaitLeading(id, a);
        RegionAccess.Region parent = a.region(id);
        put(parent, "a", "1");
        cluster.wal.loseCreates(true);
        parent.split(1, List.of(bytes("m")));
        await().atMost(PATIENCE).until(() -> a.store.siblings(parent, 1).size() == 2);
        long childId = a.store.siblings(parent, 1).get(1).shape().getRegionId();
        RegionAccess.Region child = a.region(childId);
        CompletableFuture<Void> write =
                child.write(2, new WriteBatchBuilder().put(Cf.DEFAULT, bytes("b"), bytes("2")));
        CompletableFuture<KvSnapshot> read = child.read(2);
        // Led by nobody yet, so nothing can be said.
        assertThat(a.store.regions()).hasSize(1);
        assertThat(write).isNotDone();
        assertThat(read).isNotDone();
        cluster.wal.loseCreates(false);
        write.get(60, TimeUnit.SECONDS);
        try (KvSnapshot snapshot = read.get(60, TimeUnit.SECONDS)) {
            assertThat(snapshot.get(Cf.DEFAULT, bytes("a"))).isEqualTo(bytes("1"));
        }
        assertThat(cluster.getAnywhere("b")).isEqualTo("2");
    }

    private static List<RegionShape> shapes(TestCluster.Node node) {
        return node.store.regions().stream().map(RegionAccess.Region::shape).toList();
    }

    /** In key order, without gaps or overlaps, from the first key to the last. */
    private static void assertTiled(List<RegionShape> parts) {
        var at = com.google.protobuf.ByteString.EMPTY;
        for (RegionShape part : parts) {
            assertThat(part.getStartKey()).isEqualTo(at);
            at = part.getEndKey();
        }
        assertThat(at.isEmpty()).isTrue();
    }
}
