package io.tidekv.compute.region.core;

import static io.tidekv.compute.region.core.Cluster.OPTIONS;
import static io.tidekv.compute.region.core.Entries.propose;
import static io.tidekv.compute.region.core.Entries.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Snapshot;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Replication by a leader that has its region. */
class LeadingTest {
    private final Cluster cluster = new Cluster(3);
    private final Cluster.Store ann = cluster.store(1);
    private RegionLeader leader;

    @BeforeEach
    void lead() {
        leader = ann.lead(1).leader();
        cluster.settle();
        assertThat(leader.phase()).isEqualTo(LeaderPhase.LEADING);
        ann.appends.clear();
    }

    private void pump() {
        leader.pump(cluster.clock.read());
    }

    @Test
    void manyProposalsTravelInOneAppendPerVoter() {
        for (int i = 0; i < 64; i++) {
            propose(leader, "x");
        }
        pump();
        assertThat(ann.appends).containsEntry(1L, 2).containsEntry(2L, 2).containsEntry(3L, 2);
        cluster.settle();
        assertThat(leader.commitIndex()).isEqualTo(65);
    }

    @Test
    void largeBatchesAreSplitByBytesAndALargeEntryTravelsAlone() {
        for (int i = 0; i < 3; i++) {
            leader.propose(EntryKind.WRITE, ByteString.copyFrom(new byte[3000]));
        }
        leader.propose(EntryKind.WRITE, ByteString.copyFrom(new byte[50_000]));
        pump();
        cluster.settle();
        assertThat(leader.commitIndex()).isEqualTo(5);
        assertThat(ann.appends.get(1L)).isBetween(4, 6);
    }

    @Test
    void nothingIsCommittedByOneVoter() {
        ann.only(1);
        propose(leader, "alone");
        pump();
        cluster.run(500);
        assertThat(leader.commitIndex()).isEqualTo(1);
        ann.only(1, 2);
        cluster.settle();
        assertThat(leader.commitIndex()).isEqualTo(2);
    }

    @Test
    void aFullWindowRefusesUntilEntriesAreTaken() {
        byte[] half = new byte[(int) OPTIONS.windowBytes() / 2];
        assertThatThrownBy(
                        () ->
                                leader.propose(
                                        EntryKind.WRITE,
                                        ByteString.copyFrom(new byte[(int) OPTIONS.windowBytes()])))
                .isInstanceOfSatisfying(
                        ProposalRefused.class,
                        e -> assertThat(e.reason()).isEqualTo(ProposalRefused.Reason.TOO_LARGE));
        leader.propose(EntryKind.WRITE, ByteString.copyFrom(half));
        assertThatThrownBy(() -> leader.propose(EntryKind.WRITE, ByteString.copyFrom(half)))
                .isInstanceOfSatisfying(
                        ProposalRefused.class,
                        e -> assertThat(e.reason()).isEqualTo(ProposalRefused.Reason.WINDOW_FULL));
        pump();
        cluster.settle();
        leader.takeCommitted();
        leader.propose(EntryKind.WRITE, ByteString.copyFrom(half));
    }

    @Test
    void kindsOfTheLogItselfAreNotProposed() {
        for (EntryKind kind : new EntryKind[] {EntryKind.NOOP, EntryKind.CONFIG}) {
            assertThatThrownBy(() -> leader.propose(kind, ByteString.EMPTY))
                    .isInstanceOfSatisfying(
                            ProposalRefused.class,
                            e ->
                                    assertThat(e.reason())
                                            .isEqualTo(ProposalRefused.Reason.NOT_ALLOWED));
        }
    }

    @Test
    void aBrokenConnectionResendsWithoutDuplicates() {
        for (int round = 0; round < 10; round++) {
            propose(leader, "w" + round);
            pump();
            if (round % 3 == 0) {
                // The request arrives, its answer does not.
                ann.links.get(2L).forEach(r -> cluster.node(2).voters.handle(ann.owner, r, now()));
                ann.disconnect(2);
                ann.connect(2);
            }
            cluster.settle();
        }
        assertThat(texts(leader.takeCommitted())).hasSize(10).doesNotHaveDuplicates();
        assertThat(cluster.node(2).terms()).hasSize(11);
        assertThat(cluster.node(2).terms()).isEqualTo(cluster.node(1).terms());
    }

    private io.tidekv.common.time.Clock.Reading now() {
        return cluster.clock.read();
    }

    @Test
    void aVoterThatComesBackIsFilledFromAnotherVoter() {
        ann.only(1, 2);
        for (int i = 0; i < 400; i++) {
            leader.propose(EntryKind.WRITE, ByteString.copyFrom(new byte[2000]));
            pump();
            cluster.settle();
            leader.takeCommitted();
        }
        assertThat(cluster.node(3).view().lastIndex()).isEqualTo(1);
        ann.only(1, 2, 3);
        cluster.settle();
        assertThat(cluster.node(3).view().lastIndex()).isEqualTo(401);
        assertThat(cluster.node(3).terms()).isEqualTo(cluster.node(1).terms());
    }

    @Test
    void aVoterBehindTheSnapshotIsResetToIt() {
        ann.only(1, 2);
        for (int i = 0; i < 10; i++) {
            propose(leader, "w" + i);
        }
        pump();
        cluster.settle();
        leader.takeCommitted();
        leader.moveSnapshot(Snapshot.newBuilder().setIndex(8).setTerm(1).build());
        cluster.run(300);
        assertThat(cluster.node(1).view().snapshot().getIndex()).isEqualTo(8);
        ann.only(1, 2, 3);
        cluster.run(300);
        assertThat(cluster.node(3).view().snapshot().getIndex()).isEqualTo(8);
        assertThat(cluster.node(3).view().lastIndex()).isEqualTo(11);
        assertThat(cluster.node(3).view().commitIndex()).isEqualTo(11);
    }

    @Test
    void votersLearnTheCommitWhenTheLeaderFallsSilent() {
        propose(leader, "last");
        pump();
        cluster.settle();
        cluster.run(200);
        assertThat(cluster.node(3).view().commitIndex()).isEqualTo(2);
        ann.appends.clear();
        cluster.run(2000);
        assertThat(ann.appends).isEmpty();
    }

    @Test
    void aVoterThatLostWhatItAcknowledgedIsNotCountedAnyMore() {
        propose(leader, "w");
        pump();
        cluster.settle();
        ann.disconnect(3);
        Cluster.Node third = cluster.node(3);
        third.storage.append(Cluster.REGION, List.of(Cluster.entry(1, 1)));
        third.storage.syncTo(third.storage.position());
        cluster.node(3).restart();
        ann.connect(3);
        cluster.settle();
        ann.only(1, 3);
        propose(leader, "x");
        pump();
        cluster.run(300);
        assertThat(leader.commitIndex()).isEqualTo(2);
    }

    @Test
    void releaseWaitsForWhatIsUnderWayAndLetsTheNextOwnerInAtOnce() {
        propose(leader, "last");
        leader.beginRelease(now());
        assertThat(leader.phase()).isEqualTo(LeaderPhase.RELEASING);
        assertThat(ann.leaseValid()).isFalse();
        assertThatThrownBy(() -> propose(leader, "late")).isInstanceOf(ProposalRefused.class);
        pump();
        cluster.settle();
        assertThat(leader.phase()).isEqualTo(LeaderPhase.RELEASED);
        assertThat(texts(leader.takeCommitted())).containsExactly("last");
        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.settle();
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
    }
}
