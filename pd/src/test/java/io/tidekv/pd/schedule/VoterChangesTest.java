package io.tidekv.pd.schedule;

import static io.tidekv.pd.schedule.FakeCluster.voters;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.cluster.ChangeVoters;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.VoterChange;
import io.tidekv.proto.cluster.VoterChangeState;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.VoterConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VoterChangesTest {
    private static final long TEN_MINUTES = 600_000;

    @Test
    void beginsWithVotersOfDifferentZones() {
        FakeCluster cluster = new FakeCluster(false);
        long a1 = cluster.addWal("a");
        cluster.addWal("a");
        long b = cluster.addWal("b");
        long c = cluster.addWal("c");
        cluster.pass(700, cluster.addStore("s:1"));
        assertThat(voters(first(cluster))).containsExactlyInAnyOrder(a1, b, c);
    }

    @Test
    void drainsANodeOneChangeAtATime() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        long spare = cluster.addWal("");
        long drained = voters(first(cluster)).get(1);
        List<Long> before = voters(first(cluster));

        cluster.setWalMode(drained, NodeMode.DRAINING, 0);
        cluster.pass(3_000, store);

        assertThat(cluster.voterOf(drained)).isZero();
        assertThat(voters(first(cluster))).hasSize(3).contains(spare);
        assertThat(cluster.coordinator.live().wal(drained).changes()).isZero();
        List<List<Long>> steps = new ArrayList<>();
        steps.add(before);
        for (ChangeVoters order : store.voterOrders()) {
            List<Long> target = order.getTarget().getWalIdsList();
            List<Long> last = steps.get(steps.size() - 1);
            if (!target.equals(last)) {
                assertThat(Math.abs(target.size() - last.size())).isEqualTo(1);
                steps.add(target);
            }
        }
        assertThat(steps).as("added first, then removed").hasSize(3);
        assertThat(steps.get(1)).hasSize(4);
    }

    @Test
    void aReplacementTakesThePlace() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        cluster.addWal("");
        long wanted = cluster.addWal("");
        long drained = voters(first(cluster)).get(0);
        cluster.setWalMode(drained, NodeMode.DRAINING, wanted);
        cluster.pass(3_000, store);
        assertThat(voters(first(cluster))).hasSize(3).contains(wanted).doesNotContain(drained);
    }

    @Test
    void aNodeThatIsSilentForLongIsReplacedAndNotBefore() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        long dead = voters(first(cluster)).get(2);
        cluster.addWal("");
        cluster.silence(dead);
        cluster.pass(TEN_MINUTES - 2_000, store);
        assertThat(store.voterOrders()).isEmpty();
        cluster.pass(5_000, store);
        assertThat(cluster.voterOf(dead)).isZero();
        assertThat(voters(first(cluster))).hasSize(3);
    }

    @Test
    void aLossWithoutASpareNodeIsSaid() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        long dead = voters(first(cluster)).get(2);
        cluster.silence(dead);
        cluster.pass(TEN_MINUTES + 2_000, store);
        assertThat(store.voterOrders()).isEmpty();
        assertThat(cluster.coordinator.live().wal(dead).problem()).contains("no other WAL node");
    }

    @Test
    void drainingNeedsEnoughOthers() {
        FakeCluster cluster = new FakeCluster(false);
        cluster.begin();
        long node = voters(first(cluster)).get(0);
        cluster.setWalMode(node, NodeMode.DRAINING, 0);
        assertThat(cluster.log.read(s -> s.walNode(node)).getMode()).isEqualTo(NodeMode.IN_SERVICE);
    }

    @Test
    void newNodesGetTheirShareAndZonesStayApart() {
        FakeCluster cluster = new FakeCluster(true);
        for (String zone : List.of("a", "b", "c")) {
            cluster.addWal(zone);
        }
        FakeStore store = cluster.addStore("s:1");
        cluster.pass(700, store);
        long right = first(cluster).getShape().getRegionId();
        for (int i = 0; i < 11; i++) {
            cluster.split(store, right, String.format(java.util.Locale.ROOT, "k%02d", i));
        }
        cluster.pass(2_000, store);
        long a = cluster.addWal("a");
        long b = cluster.addWal("b");
        long c = cluster.addWal("c");
        cluster.pass(60_000, store);
        assertThat(cluster.regions())
                .hasSize(12)
                .allSatisfy(
                        r ->
                                assertThat(zones(cluster, r))
                                        .containsExactlyInAnyOrder("a", "b", "c"));
        assertThat(List.of(cluster.voterOf(a), cluster.voterOf(b), cluster.voterOf(c)))
                .allSatisfy(n -> assertThat(n).isBetween(5L, 7L));
        int orders = store.voterOrders().size();
        cluster.pass(10_000, store);
        assertThat(store.voterOrders()).as("it comes to rest").hasSize(orders);
    }

    @Test
    void aNodeThatDiesWhileItIsAddedIsGivenUp() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        long weak = cluster.addWal("");
        store.obeys = false;
        long drained = voters(first(cluster)).get(0);
        cluster.setWalMode(drained, NodeMode.DRAINING, weak);
        assertThat(lastTarget(store).getWalIdsList()).contains(weak);
        cluster.silence(weak);
        long other = cluster.addWal("");
        cluster.pass(8_000, store);
        ChangeVoters last = store.voterOrders().get(store.voterOrders().size() - 1);
        assertThat(last.getTarget().getWalIdsList()).contains(other).doesNotContain(weak);
        assertThat(last.getRetireWalIdsList()).containsExactly(weak);
        store.obeys = true;
        cluster.pass(3_000, store);
        assertThat(cluster.voterOf(drained)).isZero();
    }

    @Test
    void anotherPdGoesOnWithAChangeThatItFinds() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        long spare = cluster.addWal("");
        RegionEntry region = first(cluster);
        VoterConfig target =
                region.getConfig().toBuilder().setGeneration(2).addWalIds(spare).build();
        store.regions.computeIfPresent(
                region.getShape().getRegionId(),
                (id, r) ->
                        r.toBuilder()
                                .setVoterChange(
                                        VoterChange.newBuilder()
                                                .setTarget(target)
                                                .setState(VoterChangeState.CATCHING_UP))
                                .build());
        cluster.pass(3_000, store);
        assertThat(store.voterOrders().get(0).getTarget()).isEqualTo(target);
        assertThat(voters(first(cluster))).as("and removes the one too many").hasSize(3);
    }

    @Test
    void aRefusalIsNotRepeatedAtOnce() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        cluster.addWal("");
        store.obeys = false;
        long drained = voters(first(cluster)).get(0);
        cluster.setWalMode(drained, NodeMode.DRAINING, 0);
        VoterConfig target = lastTarget(store);
        store.regions.replaceAll(
                (id, r) ->
                        r.toBuilder()
                                .setVoterChange(
                                        VoterChange.newBuilder()
                                                .setTarget(target)
                                                .setState(VoterChangeState.REFUSED)
                                                .setError("no"))
                                .build());
        cluster.pass(500, store);
        int sent = store.voterOrders().size();
        cluster.pass(3_000, store);
        assertThat(store.voterOrders()).hasSize(sent);
        assertThat(cluster.coordinator.live().wal(drained).problem()).contains("refused");
    }

    @Test
    void aRegionThatTwoOwnersCouldNotOpenIsDamaged() {
        FakeCluster cluster = new FakeCluster(false);
        FakeStore store = cluster.begin();
        RegionEntry region = first(cluster);
        store.opensAs = RegionState.FAILED;
        store.regions.replaceAll((id, r) -> r.toBuilder().setState(RegionState.FAILED).build());
        cluster.pass(100, store);
        assertThat(cluster.coordinator.live().damaged(region)).isNull();
        cluster.pass(2_000, store);
        assertThat(cluster.coordinator.live().damaged(first(cluster))).isNotNull();
        store.opensAs = RegionState.LEADING;
        cluster.pass(12_000, store);
        assertThat(cluster.coordinator.live().damaged(first(cluster))).isNull();
    }

    private static VoterConfig lastTarget(FakeStore store) {
        return store.voterOrders().get(store.voterOrders().size() - 1).getTarget();
    }

    private static RegionEntry first(FakeCluster cluster) {
        return cluster.regions().get(0);
    }

    private static List<String> zones(FakeCluster cluster, RegionEntry region) {
        return voters(region).stream()
                .map(id -> cluster.log.read(s -> s.walNode(id)).getZone())
                .toList();
    }
}
