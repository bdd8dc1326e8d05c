package io.tidekv.compute.region.core;

import static io.tidekv.compute.region.core.Entries.propose;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a leader may answer reads, and when it must not. */
class LeaseTest {
    private final Cluster cluster = new Cluster(3);
    private final Cluster.Store ann = cluster.store(1);
    private RegionLeader leader;

    @BeforeEach
    void lead() {
        leader = ann.lead(1).leader();
        cluster.settle();
    }

    @Test
    void renewalsKeepTheLeaseOfAnIdleRegion() {
        ann.appends.clear();
        for (int i = 0; i < 20; i++) {
            cluster.run(200);
            assertThat(ann.leaseValid()).isTrue();
        }
        assertThat(ann.appends.values()).allMatch(count -> count <= 1);
    }

    @Test
    void withoutAMajorityTheLeaseEndsBeforeTheVotersPromises() {
        ann.only(1);
        cluster.run(880);
        assertThat(ann.leaseValid()).isTrue();
        cluster.clock.advanceMillis(20);
        assertThat(ann.leaseValid()).isFalse();
    }

    @Test
    void theLeaseCountsFromWhenTheRoundWasSent() {
        ann.hold = true;
        propose(leader, "slow");
        leader.pump(cluster.clock.read());
        cluster.clock.advanceMillis(899);
        ann.hold = false;
        cluster.settle();
        assertThat(ann.leaseValid()).isTrue();
        cluster.clock.advanceMillis(1);
        assertThat(ann.leaseValid()).isFalse();
    }

    @Test
    void aPauseThatOnlyTheWallClockSawEndsTheLease() {
        cluster.clock.jumpWallMillis(500);
        assertThat(ann.leaseValid()).isFalse();
        cluster.run(500);
        assertThat(ann.leaseValid()).isTrue();
        cluster.clock.jumpWallMillis(-500);
        assertThat(ann.leaseValid()).isFalse();
    }

    /** A zombie: paused past its lease, it must not answer when it wakes. */
    @Test
    void aPausedLeaderWakesWithoutALeaseAndIsFenced() {
        ann.hold = true;
        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.run(1200);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
        ann.hold = false;
        assertThat(ann.phase()).isEqualTo(LeaderPhase.LEADING);
        assertThat(ann.leaseValid()).isFalse();
        propose(leader, "zombie");
        leader.pump(cluster.clock.read());
        cluster.settle();
        assertThat(ann.phase()).isEqualTo(LeaderPhase.FENCED);
        assertThat(leader.reason()).contains("term 2");
        assertThat(leader.commitIndex()).isEqualTo(1);
    }

    @Test
    void aConfirmedReadNeedsNoLease() {
        cluster.run(100);
        ann.hold = true;
        cluster.clock.advanceMillis(5000);
        ann.hold = false;
        assertThat(ann.leaseValid()).isFalse();
        long token = leader.requestConfirm(cluster.clock.read());
        assertThat(leader.confirmed(token)).isFalse();
        leader.pump(cluster.clock.read());
        cluster.settle();
        assertThat(leader.confirmed(token)).isTrue();
    }

    @Test
    void aDeposedLeaderConfirmsNothing() {
        ann.hold = true;
        cluster.store(2).lead(2);
        cluster.run(1200);
        ann.hold = false;
        long token = leader.requestConfirm(cluster.clock.read());
        leader.pump(cluster.clock.read());
        cluster.settle();
        assertThat(leader.confirmed(token)).isFalse();
        assertThat(ann.phase()).isEqualTo(LeaderPhase.FENCED);
    }

    @Test
    void aLeaderThatHearsOfAWaitingTermReleasesAtOnce() {
        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.settle();
        assertThat(ben.phase()).isEqualTo(LeaderPhase.OPENING);
        cluster.run(400);
        assertThat(ann.phase()).isEqualTo(LeaderPhase.RELEASED);
        assertThat(leader.reason()).contains("term 2 waits");
        cluster.run(60);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
    }

    @Test
    void aVoterThatRestartedIsRejoinedByTheRegionsOwnRound() {
        for (long walId = 1; walId <= 3; walId++) {
            ann.disconnect(walId);
            cluster.node(walId).restart();
            ann.connect(walId);
        }
        cluster.run(1500);
        assertThat(ann.leaseValid()).isTrue();
        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.settle();
        assertThat(ben.phase()).isEqualTo(LeaderPhase.OPENING);
    }

    @Test
    void aRestartOfAllVotersDoesNotLetAnotherOwnerInEarly() {
        ann.hold = true;
        Cluster.Store ben = cluster.store(2);
        cluster.clock.advanceMillis(950);
        for (long walId = 1; walId <= 3; walId++) {
            cluster.node(walId).restart();
        }
        ben.lead(2);
        cluster.run(960);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.OPENING);
        cluster.run(100);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
    }

    @Test
    void aRestartedProcessIsAStrangerToItsOwnTerm() {
        ann.hold = true;
        Cluster.Store reborn = cluster.store(1).lead(1);
        cluster.settle();
        assertThat(reborn.phase()).isEqualTo(LeaderPhase.FENCED);
        assertThat(cluster.node(1).view().owner()).isEqualTo(ann.owner);
    }
}
