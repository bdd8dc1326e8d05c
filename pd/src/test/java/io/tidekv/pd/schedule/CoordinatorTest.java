package io.tidekv.pd.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreCommand.BodyCase;
import io.tidekv.proto.pdstate.RegionEntry;
import org.junit.jupiter.api.Test;

class CoordinatorTest {
    private final FakeCluster cluster = new FakeCluster(false);

    @Test
    void beginsWithThreeWalNodesAndAStore() {
        cluster.addWalNodes(2);
        FakeStore store = cluster.addStore("a:1");
        cluster.pass(2_000, store);
        assertThat(cluster.regions()).as("two WAL nodes are not enough").isEmpty();
        cluster.addWalNodes(3);
        cluster.pass(700, store);

        Assign first = store.assigned().get(0);
        assertThat(first.getOrigin().hasBootstrap()).isTrue();
        assertThat(first.getConfig().getWalIdsList()).hasSize(3).doesNotHaveDuplicates();
        assertThat(first.getShape().getStartKey().isEmpty()).isTrue();
        assertThat(first.getShape().getVersion()).isEqualTo(1);
        RegionEntry region = cluster.regions().get(0);
        assertThat(region.hasOrigin()).as("it has been led, its origin is forgotten").isFalse();
        assertThat(cluster.coordinator.live().leading(region)).isTrue();
        assertThat(store.got(BodyCase.WAL_NODES)).isTrue();
    }

    @Test
    void repeatsAnOrderUntilTheReportsShowIt() {
        cluster.addWalNodes(3);
        FakeStore store = cluster.addStore("a:1");
        store.obeys = false;
        cluster.pass(2_000, store);
        assertThat(store.assigned()).as("assigned again and again").hasSizeGreaterThan(2);
        assertThat(store.assigned()).extracting(Assign::getTerm).containsOnly(1L);
        store.obeys = true;
        cluster.pass(1_000, store);
        int count = store.assigned().size();
        cluster.pass(2_000, store);
        assertThat(store.assigned()).as("and not once it is there").hasSize(count);
    }

    @Test
    void givesTheRegionsOfASilentStoreToOthersInOneCommand() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        long first = cluster.regions().get(0).getShape().getRegionId();
        for (String key : new String[] {"b", "d", "f"}) {
            cluster.split(a, first, key);
        }
        cluster.pass(1_000, a, b);
        assertThat(cluster.ownedBy(a)).isEqualTo(4);

        a.report();
        long before = cluster.revision();
        cluster.pass(1_400, b);
        assertThat(cluster.ownedBy(a)).as("two missed reports are forgiven").isEqualTo(4);
        cluster.pass(300, b);
        assertThat(cluster.ownedBy(b)).isEqualTo(4);
        assertThat(cluster.revision()).isEqualTo(before + 1);
        for (Assign assign : b.assigned()) {
            assertThat(assign.getTerm()).isGreaterThan(1);
            assertThat(assign.getShape().getConfVer()).isEqualTo(2);
        }

        a.report();
        assertThat(a.regions).as("revoked when it comes back").isEmpty();
        assertThat(a.got(BodyCase.FENCED)).isFalse();
    }

    @Test
    void neverTakesOverWithoutAStoreToTake() {
        FakeStore a = cluster.begin();
        cluster.pass(30_000);
        assertThat(cluster.ownedBy(a)).isEqualTo(1);
        assertThat(cluster.regions().get(0).getTerm()).isEqualTo(1);
        a.report();
        cluster.pass(500, a);
        assertThat(cluster.regions().get(0).getTerm()).isEqualTo(1);
    }

    @Test
    void doesNotBlameStoresForItsOwnPause() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, a, b);
        cluster.clock.advanceMillis(20_000);
        b.report();
        cluster.coordinator.tick();
        cluster.pass(1_000, b);
        assertThat(cluster.ownedBy(a)).isEqualTo(1);
        cluster.pass(1_000, b);
        assertThat(cluster.ownedBy(b)).as("but in the end it does").isEqualTo(1);
    }

    @Test
    void aMachineThatIsAlwaysLateFindsDeadStoresToo() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, a, b);
        for (int i = 0; i < 8; i++) {
            cluster.clock.advanceMillis(700);
            b.report();
            cluster.coordinator.tick();
        }
        assertThat(cluster.ownedBy(b)).isEqualTo(1);
    }

    @Test
    void aNewLeaderGivesStoresTimeToFindIt() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, a, b);
        cluster.log.setLeading(false);
        assertThat(a.toldNotLeader).isTrue();
        assertThat(cluster.coordinator.live().leading(cluster.regions().get(0))).isFalse();
        cluster.log.setLeading(true);
        cluster.pass(2_000, b);
        assertThat(cluster.ownedBy(a)).isEqualTo(1);
        a.report();
        cluster.pass(10_000, a, b);
        assertThat(cluster.ownedBy(a)).isEqualTo(1);
    }

    @Test
    void aStoreThatNeverFoundTheNewLeaderLosesItsRegions() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, a, b);
        cluster.log.setLeading(false);
        cluster.log.setLeading(true);
        cluster.pass(5_500, b);
        assertThat(cluster.ownedBy(b)).isEqualTo(1);
    }

    @Test
    void aRestartedProcessIsAStrangerToItsPast() {
        FakeStore old = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, old, b);
        RegionEntry before = cluster.regions().get(0);
        FakeStore again = cluster.addStore("a:1");
        assertThat(again.owner.getStoreId()).isEqualTo(old.owner.getStoreId());
        assertThat(old.got(BodyCase.FENCED)).isTrue();
        assertThat(old.ended).isTrue();
        cluster.pass(500, again, b);
        RegionEntry after = cluster.regions().get(0);
        assertThat(after.getOwner()).as("its store is preferred").isEqualTo(again.owner);
        assertThat(after.getTerm()).isEqualTo(before.getTerm() + 1);
        assertThat(after.getShape())
                .as("the same store is the same peer")
                .isEqualTo(before.getShape());

        int fencedBefore = old.got.size();
        old.report();
        assertThat(old.got.get(fencedBefore).hasFenced()).isTrue();
    }

    @Test
    void aRestartedProcessThatDoesNotReportLosesToOthers() {
        FakeStore old = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, old, b);
        cluster.addStore("a:1");
        cluster.pass(1_000, b);
        assertThat(cluster.ownedBy(b)).isZero();
        cluster.pass(1_000, b);
        assertThat(cluster.ownedBy(b)).isEqualTo(1);
    }

    @Test
    void regionsOfALeavingStoreGoAtOnce() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, a, b);
        long id = cluster.regions().get(0).getShape().getRegionId();
        a.leaving = true;
        a.set(id, RegionState.RELEASED);
        a.report();
        assertThat(cluster.ownedBy(b)).as("without waiting for a tick").isEqualTo(1);
        b.report();
        assertThat(cluster.coordinator.live().leading(cluster.region(id))).isTrue();
        b.leaving = true;
        b.set(id, RegionState.RELEASED);
        b.report();
        assertThat(cluster.ownedBy(b)).as("nobody is left to take it").isEqualTo(1);
    }

    @Test
    void aRegionThatCannotBeOpenedIsTriedElsewhereAndThenLessOften() {
        cluster.addWalNodes(3);
        FakeStore a = cluster.addStore("a:1");
        FakeStore b = cluster.addStore("b:1");
        a.opensAs = RegionState.FAILED;
        b.opensAs = RegionState.FAILED;
        cluster.pass(30_000, a, b);
        long terms = cluster.regions().get(0).getTerm();
        assertThat(terms).isBetween(4L, 12L);
        assertThat(a.assigned()).isNotEmpty();
        assertThat(b.assigned()).isNotEmpty();
        b.opensAs = RegionState.LEADING;
        cluster.pass(25_000, a, b);
        assertThat(cluster.ownedBy(b)).isEqualTo(1);
        assertThat(cluster.coordinator.live().leading(cluster.regions().get(0))).isTrue();
    }

    @Test
    void aChildWhoseFirstOwnerIsGoneIsTakenOver() {
        FakeStore a = cluster.begin();
        FakeStore b = cluster.addStore("b:1");
        cluster.pass(1_000, a, b);
        a.obeys = false;
        long child = cluster.split(a, cluster.regions().get(0).getShape().getRegionId(), "m");
        cluster.pass(2_000, b);
        assertThat(cluster.ownedBy(b)).isEqualTo(2);
        assertThat(b.assigned())
                .filteredOn(r -> r.getShape().getRegionId() == child)
                .last()
                .matches(r -> r.getOrigin().hasSplit(), "its voters may not exist yet");
    }
}
