package io.tidekv.pd.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.MergeRefusal;
import io.tidekv.proto.cluster.MoveStep;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.RegionShape;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OrdersTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private FakeCluster cluster = new FakeCluster(false);
    private FakeStore a = cluster.begin();
    private FakeStore b = cluster.addStore("b:1");
    private long region;

    @BeforeEach
    void two() {
        cluster.pass(1_000, a, b);
        region = cluster.regions().get(0).getShape().getRegionId();
    }

    @Test
    void movesARegionAndTellsTheGap() {
        RegionEntry before = cluster.region(region);
        CompletableFuture<Long> done = move(b);
        assertThat(a.got).anyMatch(StoreCommand::hasMove);
        assertThat(done).isNotDone();
        a.report();
        assertThat(cluster.region(region)).as("the target is not ready yet").isEqualTo(before);
        b.report();
        a.report();
        RegionEntry after = cluster.region(region);
        assertThat(after.getOwner()).isEqualTo(b.owner);
        assertThat(after.getShape().getPeerId()).isNotEqualTo(before.getShape().getPeerId());
        assertThat(after.getShape().getConfVer()).isEqualTo(before.getShape().getConfVer() + 1);
        cluster.clock.advanceMillis(40);
        b.report();
        assertThat(done).isCompletedWithValue(40L);
    }

    @Test
    void aTargetThatCannotPrepareGetsTheRegionAllTheSame() {
        b.follows = false;
        move(b);
        cluster.pass(9_000, a, b);
        assertThat(cluster.region(region).getOwner()).isEqualTo(a.owner);
        cluster.pass(2_000, a, b);
        assertThat(cluster.region(region).getOwner()).isEqualTo(b.owner);
        assertThat(a.got).anyMatch(c -> c.hasMove() && c.getMove().getStep() == MoveStep.MOVE_COLD);
    }

    @Test
    void aMoveToWhereItIsIsDone() {
        assertThat(move(a)).isCompletedWithValue(0L);
    }

    @Test
    void refusesWhatCannotBe() {
        assertFails(cluster.coordinator.move(4711, b.owner.getStoreId(), LIMIT), "region 4711 not");
        assertFails(cluster.coordinator.move(region, 4711, LIMIT), "no store 4711");
        b.leaving = true;
        b.report();
        assertFails(move(b), "takes no regions");
        a.obeys = false;
        CompletableFuture<Long> first = split("m");
        assertThat(first).isNotDone();
        assertFails(split("q"), "busy with admin-split-region");
    }

    private CompletableFuture<Long> merge(long source, long target) {
        return cluster.coordinator.merge(source, target, LIMIT);
    }

    private static MergeOrder last(FakeStore store) {
        return store.got.stream()
                .filter(StoreCommand::hasMerge)
                .reduce((x, y) -> y)
                .get()
                .getMerge();
    }

    /** What a store says of an order that it cannot follow. */
    private void refuse(long target, boolean lasting) {
        MergeRefusal refusal =
                MergeRefusal.newBuilder()
                        .setOrder(last(a).getOrder())
                        .setLasting(lasting)
                        .setReason("in flashback")
                        .build();
        a.regions.computeIfPresent(
                target, (id, r) -> r.toBuilder().setMergeRefusal(refusal).build());
        a.report();
    }

    @Test
    void mergesNeighboursAtOneStore() {
        long left = cluster.split(a, region, "m");
        long middle = cluster.split(a, region, "q");
        cluster.pass(1_000, a, b);
        assertFails(merge(left, region), "no neighbours");
        assertFails(merge(left, 4711), "region 4711 not");
        RegionShape before = cluster.region(middle).getShape();
        CompletableFuture<Long> done = merge(left, middle);
        assertThat(last(a).getSource().getRegionId()).isEqualTo(left);
        assertThat(last(a).getTarget()).isEqualTo(before);
        assertFails(merge(middle, region), "busy");
        // Tried again while the reason may pass, and given up when it will not.
        refuse(middle, false);
        cluster.pass(600, a, b);
        assertThat(done).isNotDone();
        cluster.merged(a, left, middle);
        cluster.pass(200, a, b);
        assertThat(done).isCompleted();
        assertThat(cluster.regions()).hasSize(2);
        assertThat(cluster.region(middle).getShape().getVersion())
                .isGreaterThan(before.getVersion());
    }

    /** Its parent did not hear that PD had taken the split, and reports it again. */
    @Test
    void aChildThatIsMergedAwayDoesNotComeBack() {
        long left = cluster.split(a, region, "m");
        long middle = cluster.split(a, region, "q");
        cluster.pass(1_000, a, b);
        cluster.merged(a, middle, left);
        cluster.reportSplitAgain();
        assertThat(cluster.regions()).hasSize(2);
        assertThat(cluster.region(left).getShape().getEndKey().toStringUtf8()).isEqualTo("q");
    }

    @Test
    void aMergeThatIsRefusedForGoodSaysWhy() {
        long left = cluster.split(a, region, "m");
        cluster.pass(1_000, a, b);
        CompletableFuture<Long> done = merge(left, region);
        refuse(region, false);
        assertThat(done).isNotDone();
        refuse(region, true);
        cluster.pass(200, a, b);
        assertFails(done, "in flashback");
    }

    @Test
    void waitsForARegionThatIsBetweenTwoOwners() {
        a.set(region, RegionState.OPENING);
        a.report();
        CompletableFuture<Long> done = split("m");
        assertThat(done).isNotDone();
        assertThat(a.got).noneMatch(StoreCommand::hasSplit);
        a.set(region, RegionState.LEADING);
        a.report();
        assertThat(a.got).anyMatch(StoreCommand::hasSplit);
        a.set(region, RegionState.OPENING);
        a.report();
        CompletableFuture<Long> never = move(b);
        cluster.pass(10_200, a, b);
        assertFails(never, "not served at present");
    }

    @Test
    void drainsAStoreAndGivesItNothing() {
        for (int i = 0; i < 40; i++) {
            cluster.split(a, region, String.format(java.util.Locale.ROOT, "k%02d", i));
        }
        FakeStore c = cluster.addStore("c:1");
        cluster.pass(1_000, a, b, c);
        cluster.drainStore(a);
        cluster.pass(100, a, b, c);
        assertThat(a.got.stream().filter(StoreCommand::hasMove).count())
                .as("moves at once")
                .isEqualTo(16);
        cluster.pass(10_000, a, b, c);
        assertThat(cluster.ownedBy(a)).isZero();
        assertThat(Math.abs(cluster.ownedBy(b) - cluster.ownedBy(c))).isLessThanOrEqualTo(2);
        assertThat(cluster.coordinator.live().moves(a.owner.getStoreId())).isZero();
        cluster.drainStore(b);
        cluster.pass(25_000, a, b, c);
        assertThat(cluster.ownedBy(c)).isEqualTo(41);
        cluster.drainStore(c);
        assertThat(cluster.log.read(s -> s.store(c.owner.getStoreId())).getMode())
                .as("the last one stays")
                .isEqualTo(io.tidekv.proto.cluster.NodeMode.IN_SERVICE);
    }

    @Test
    void givesUpAtTheDeadline() {
        a.obeys = false;
        CompletableFuture<Long> done = move(b);
        cluster.pass(19_900, a, b);
        assertThat(done).isNotDone();
        assertThat(a.got.stream().filter(StoreCommand::hasMove).count())
                .as("the order is repeated")
                .isGreaterThan(10);
        cluster.pass(200, a, b);
        assertFails(done, "has not been released");
        assertThat(status()).isEqualTo("TIMEOUT");
    }

    @Test
    void whenTheTargetDiesTheRegionGoesOnElsewhere() {
        CompletableFuture<Long> done = move(b);
        b.report();
        b.obeys = false;
        a.report();
        assertThat(cluster.region(region).getOwner()).isEqualTo(b.owner);
        cluster.pass(2_000, a);
        assertThat(cluster.region(region).getOwner()).isEqualTo(a.owner);
        assertFails(done, "given up");
        cluster.pass(1_000, a);
        assertThat(cluster.coordinator.live().leading(cluster.region(region))).isTrue();
    }

    @Test
    void whenThisPdDoesNotLeadAnyMoreTheOrderFails() {
        a.obeys = false;
        CompletableFuture<Long> done = move(b);
        cluster.log.setLeading(false);
        assertThatThrownBy(done::join).hasCauseInstanceOf(NotLeaderException.class);
        assertThatThrownBy(() -> move(b).join()).hasCauseInstanceOf(NotLeaderException.class);
    }

    @Test
    void splitsAtKeysWhateverTheOrderOfReports() {
        CompletableFuture<Long> done =
                cluster.coordinator.split(region, List.of(key("f"), key("m")), LIMIT);
        StoreCommand order =
                a.got.stream().filter(StoreCommand::hasSplit).findFirst().orElseThrow();
        assertThat(order.getSplit().getKeysList()).containsExactly(key("f"), key("m"));
        assertThat(order.getSplit().getVersion()).isEqualTo(1);
        cluster.split(a, region, "f");
        cluster.pass(1_000, a, b);
        assertThat(done).isNotDone();
        assertThat(a.got).anyMatch(c -> c.hasSplit() && c.getSplit().getKeysCount() == 1);
        cluster.split(a, region, "m");
        cluster.pass(100, a, b);
        assertThat(done).isCompleted();
    }

    @Test
    void splitsInTheMiddle() {
        CompletableFuture<Long> done = cluster.coordinator.split(region, List.of(), LIMIT);
        assertThat(a.got).anyMatch(c -> c.hasSplit() && c.getSplit().getKeysCount() == 0);
        cluster.split(a, region, "k");
        cluster.pass(100, a, b);
        assertThat(done).isCompleted();
    }

    @Test
    void evensOutTheStores() {
        cluster = new FakeCluster(true);
        a = cluster.begin();
        b = cluster.addStore("b:1");
        two();
        for (String key : new String[] {"b", "d", "f", "h", "j", "l", "n"}) {
            cluster.split(a, region, key);
        }
        cluster.pass(20_000, a, b);
        assertThat(cluster.ownedBy(a)).isBetween(3L, 5L);
        assertThat(cluster.ownedBy(a) + cluster.ownedBy(b)).isEqualTo(8);
        long before = cluster.revision();
        cluster.pass(20_000, a, b);
        assertThat(cluster.revision()).as("and then rests").isEqualTo(before);
    }

    @Test
    void anOrderTakesThePlaceOfBalancing() {
        cluster = new FakeCluster(true);
        a = cluster.begin();
        b = cluster.addStore("b:1");
        two();
        for (String key : new String[] {"b", "d", "f", "h"}) {
            cluster.split(a, region, key);
        }
        a.obeys = false;
        cluster.pass(1_500, a, b);
        long moving =
                a.got.stream()
                        .filter(StoreCommand::hasMove)
                        .findFirst()
                        .orElseThrow()
                        .getMove()
                        .getRegionId();
        assertThat(cluster.coordinator.move(moving, b.owner.getStoreId(), LIMIT)).isNotDone();
        assertThat(cluster.coordinator.operator(moving).join().orElseThrow().description())
                .isEqualTo("admin-move-region");
    }

    @Test
    void scattersAGroup() {
        cluster.split(a, region, "b");
        long third = cluster.split(a, region, "d");
        cluster.pass(500, a, b);
        List<Long> failed = cluster.coordinator.scatter(List.of(region, third, 4711L), "g").join();
        assertThat(failed).containsExactly(4711L);
        cluster.pass(2_000, a, b);
        assertThat(cluster.ownedBy(b)).isEqualTo(1);
        assertThat(status()).isEqualTo("SUCCESS");
        assertThat(cluster.coordinator.operator(4711).join()).isEmpty();
    }

    @Test
    void aRegionReleasedUnaskedIsGivenOut() {
        a.set(region, RegionState.RELEASED);
        cluster.pass(600, a, b);
        assertThat(cluster.coordinator.live().leading(cluster.region(region))).isTrue();
        assertThat(cluster.region(region).getTerm()).isEqualTo(2);
    }

    private String status() {
        return cluster.coordinator.operator(region).join().orElseThrow().status();
    }

    private CompletableFuture<Long> move(FakeStore target) {
        return cluster.coordinator.move(region, target.owner.getStoreId(), LIMIT);
    }

    private CompletableFuture<Long> split(String key) {
        return cluster.coordinator.split(region, List.of(key(key)), LIMIT);
    }

    private static void assertFails(CompletableFuture<?> order, String message) {
        assertThat(order).isCompletedExceptionally();
        assertThatThrownBy(order::join).hasMessageContaining(message);
    }

    private static ByteString key(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
