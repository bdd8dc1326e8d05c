package io.tidekv.compute.region.core;

import static io.tidekv.compute.region.core.Cluster.REGION;
import static io.tidekv.compute.region.core.Entries.propose;
import static io.tidekv.compute.region.core.Entries.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.proto.region.Snapshot;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a region comes to a leader, and what the leader makes of the logs that it finds. */
class TakeoverTest {
    private final Cluster cluster = new Cluster(3);

    @Test
    void aNewRegionIsCreatedOpenedAndLed() {
        Cluster.Store ann = cluster.store(1).lead(1);
        assertThat(ann.phase()).isEqualTo(LeaderPhase.OPENING);
        assertThatThrownBy(() -> propose(ann.leader(), "early"))
                .isInstanceOfSatisfying(
                        ProposalRefused.class,
                        refused ->
                                assertThat(refused.reason())
                                        .isEqualTo(ProposalRefused.Reason.NOT_LEADING));
        cluster.settle();
        assertThat(ann.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(ann.leader().commitIndex()).isEqualTo(1);
        assertThat(ann.leaseValid()).isTrue();
        for (long walId = 1; walId <= 3; walId++) {
            assertThat(cluster.node(walId).terms()).containsExactly(1L);
        }
    }

    @Test
    void withoutTheOriginARegionThatNobodyKnowsIsNotMade() {
        Cluster.Store ann = cluster.store(1).lead(1, null);
        cluster.run(500);
        assertThat(ann.phase()).isEqualTo(LeaderPhase.OPENING);
        assertThat(cluster.node(1).voters.view(REGION)).isNull();
    }

    @Test
    void aVoterThatMissedTheCreateIsToldByAnyLeader() {
        cluster.store(1).only(1, 2).lead(1);
        cluster.settle();
        assertThat(cluster.node(3).voters.view(REGION)).isNull();
        cluster.stores.clear();
        Cluster.Store ben = cluster.store(2).lead(2, null);
        cluster.run(1100);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(cluster.node(3).view().lastIndex()).isEqualTo(2);
    }

    @Test
    void acknowledgedWritesAreThereAfterATakeover() {
        Cluster.Store ann = cluster.store(1).lead(1);
        cluster.settle();
        for (int i = 0; i < 10; i++) {
            propose(ann.leader(), "w" + i);
            ann.leader().pump(cluster.clock.read());
        }
        cluster.settle();
        assertThat(texts(ann.leader().takeCommitted())).hasSize(10).contains("w0", "w9");
        cluster.stores.clear();

        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.run(900);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.OPENING);
        cluster.run(200);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(texts(drain(ben))).hasSize(10).startsWith("w0").endsWith("w9");
        // The tail can be walked again.
        ben.leader().rewind(ben.leader().snapshot().getIndex());
        assertThat(texts(drain(ben))).hasSize(10);
    }

    /** All committed entries, those that are read from a voter included. */
    private List<io.tidekv.proto.region.Entry> drain(Cluster.Store store) {
        List<io.tidekv.proto.region.Entry> all = new ArrayList<>();
        while (store.leader().takenIndex() < store.leader().commitIndex()) {
            all.addAll(store.leader().takeCommitted());
            store.leader().pump(cluster.clock.read());
            cluster.settle();
        }
        return all;
    }

    /**
     * Raft's figure 7: what the followers may look like when the leader of term 8 comes to power.
     * All of them end with the leader's log.
     */
    @Test
    void figure7() {
        Cluster seven = new Cluster(7);
        seven.node(1).given(7, 1, 1, 1, 4, 4, 5, 5, 6, 6, 6);
        seven.node(2).given(7, 1, 1, 1, 4, 4, 5, 5, 6, 6);
        seven.node(3).given(7, 1, 1, 1, 4);
        seven.node(4).given(7, 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6);
        seven.node(5).given(7, 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7);
        seven.node(6).given(7, 1, 1, 1, 4, 4, 4, 4);
        seven.node(7).given(7, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3);
        // (d), node 5, is out of reach until a majority has been won.
        Cluster.Store leader = seven.store(1).only(1, 2, 3, 6, 7).lead(8);
        seven.settle();
        assertThat(leader.phase()).isEqualTo(LeaderPhase.LEADING);
        leader.only(1, 2, 3, 4, 5, 6, 7);
        seven.settle();
        for (long walId = 1; walId <= 7; walId++) {
            assertThat(seven.node(walId).terms())
                    .as("node %d", walId)
                    .containsExactly(1L, 1L, 1L, 4L, 4L, 5L, 5L, 6L, 6L, 6L, 8L);
        }
    }

    /**
     * Raft's figure 8, (c): the entry of term 2 is on a majority, yet it is not committed before an
     * entry of the leader's own term is, for (d) may still replace it.
     */
    @Test
    void figure8() {
        Cluster five = new Cluster(5);
        five.node(1).given(2, 1, 2);
        five.node(2).given(2, 1, 2);
        five.node(3).given(2, 1);
        five.node(4).given(2, 1);
        five.node(5).given(3, 1, 3);
        Cluster.Store first = five.store(1).only(1, 2, 3).lead(4);
        // Opens and their answers.
        first.deliver(1);
        first.deliver(2);
        first.deliver(3);
        // Node 3 gets the entry of term 2 and not yet the no-op: it is read from 1 or 2 first.
        first.deliver(1);
        first.deliver(2);
        assertThat(first.leader().commitIndex()).isZero();
        five.settle();
        assertThat(first.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(first.leader().commitIndex()).isEqualTo(3);
        // (e): now node 5 cannot win: it must adopt what is committed.
        five.stores.clear();
        Cluster.Store second = five.store(2).only(3, 4, 5).lead(5);
        five.run(1100);
        assertThat(second.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(five.node(5).terms()).containsExactly(1L, 2L, 4L, 5L);
    }

    @Test
    void figure8TheOtherWay() {
        Cluster five = new Cluster(5);
        five.node(1).given(2, 1, 2);
        five.node(2).given(2, 1, 2);
        five.node(3).given(2, 1, 2);
        five.node(4).given(2, 1);
        five.node(5).given(3, 1, 3);
        Cluster.Store leader = five.store(1).only(3, 4, 5).lead(4);
        five.settle();
        assertThat(leader.phase()).isEqualTo(LeaderPhase.LEADING);
        leader.only(1, 2, 3, 4, 5);
        five.settle();
        for (long walId = 1; walId <= 5; walId++) {
            assertThat(five.node(walId).terms()).containsExactly(1L, 3L, 4L);
        }
    }

    @Test
    void ofTwoLeadersThatOpenAtOnceTheHigherTermWins() {
        Cluster.Store ann = cluster.store(1).lead(1);
        Cluster.Store ben = cluster.store(2).lead(2);
        ann.deliver(1);
        ann.deliver(1);
        ben.deliver(2);
        ben.deliver(2);
        ben.deliver(3);
        ben.deliver(3);
        cluster.run(1500);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(ann.phase()).isEqualTo(LeaderPhase.FENCED);
        assertThat(cluster.node(1).view().term()).isEqualTo(2);
    }

    @Test
    void whenTheVoterWithTheEndOfTheLogGoesAwayTheTermIsGivenUp() {
        cluster.node(1).given(1, 1, 1, 1);
        cluster.node(2).given(1, 1);
        cluster.node(3).given(1, 1);
        Cluster.Store ann = cluster.store(1).only(1, 2).lead(2);
        ann.deliver(1);
        ann.deliver(2);
        ann.only(2, 3);
        cluster.run(3000);
        assertThat(ann.phase()).isEqualTo(LeaderPhase.FAILED);
        ann.lead(3);
        cluster.run(1500);
        assertThat(ann.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(cluster.node(2).terms()).containsExactly(1L, 3L);
        ann.only(1, 2, 3);
        cluster.run(1500);
        assertThat(cluster.node(1).terms()).containsExactly(1L, 3L);
    }

    @Test
    void theNewestSnapshotOfTheVotersIsTheStart() {
        Cluster.Store ann = cluster.store(1).lead(1);
        cluster.settle();
        for (int i = 0; i < 5; i++) {
            propose(ann.leader(), "w" + i);
        }
        ann.leader().pump(cluster.clock.read());
        cluster.settle();
        ann.leader().takeCommitted();
        ann.only(1, 2);
        ann.leader().moveSnapshot(Snapshot.newBuilder().setIndex(4).setTerm(1).build());
        cluster.run(200);
        assertThat(cluster.node(1).view().snapshot().getIndex()).isEqualTo(4);
        cluster.stores.clear();
        Cluster.Store ben = cluster.store(2).only(2, 3).lead(2);
        cluster.run(1200);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(ben.leader().snapshot().getIndex()).isEqualTo(4);
        assertThat(texts(drain(ben))).containsExactly("w3", "w4");
    }
}
