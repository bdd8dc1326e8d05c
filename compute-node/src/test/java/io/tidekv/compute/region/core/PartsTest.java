package io.tidekv.compute.region.core;

import static io.tidekv.compute.region.core.Cluster.REGION;
import static io.tidekv.compute.region.core.Entries.propose;
import static io.tidekv.compute.region.core.Entries.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.WalRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Large entries: many small ones to voters, one to whoever reads the log. */
class PartsTest {
    private static final String LARGE = "a large write ".repeat(700);
    private static final LeaderOptions OPTIONS =
            new LeaderOptions(1000, 100, 300, 20, 200, 1 << 20, 4096, 16384, 4096, 1000);

    private final Cluster cluster = new Cluster(3, OPTIONS);
    private final Cluster.Store ann = cluster.store(1).lead(1);

    private void settled() {
        ann.leader().pump(cluster.clock.read());
        cluster.settle();
    }

    /** Delivers the first request that waits for a node, and what is behind it never. */
    private void deliverFirst(long walId) {
        ArrayDeque<WalRequest> link = ann.links.get(walId);
        WalRequest first = link.remove();
        link.clear();
        link.add(first);
        ann.deliver(walId);
    }

    private List<Entry> drain(Cluster.Store store) {
        List<Entry> all = new ArrayList<>();
        for (int i = 0; i < 100 && store.leader().takenIndex() < last(store); i++) {
            all.addAll(store.leader().takeCommitted());
            store.leader().pump(cluster.clock.read());
            cluster.settle();
        }
        return all;
    }

    private static long last(Cluster.Store store) {
        return store.leader().commitIndex();
    }

    @Test
    void isSmallForVotersAndWholeForReaders() {
        cluster.settle();
        ann.leader().takeCommitted();
        long index = propose(ann.leader(), LARGE);
        propose(ann.leader(), "small");
        settled();
        List<Entry> taken = ann.leader().takeCommitted();
        assertThat(texts(taken)).containsExactly(LARGE, "small");
        assertThat(taken.get(0).getIndex()).isEqualTo(index);
        assertThat(taken.get(0).getParts()).isEqualTo(index - 2);
        assertThat(cluster.node(1).storage.durableEntries(REGION))
                .hasSize((int) index + 1)
                .allSatisfy(entry -> assertThat(entry.getData().size()).isLessThanOrEqualTo(1000));
    }

    @Test
    void isWholeAfterATakeover() {
        cluster.settle();
        propose(ann.leader(), LARGE);
        propose(ann.leader(), "small");
        settled();
        cluster.stores.clear();
        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.run(1200);
        assertThat(texts(drain(ben))).containsExactly(LARGE, "small");
        ben.leader().rewind(ben.leader().snapshot().getIndex());
        assertThat(texts(drain(ben))).containsExactly(LARGE, "small");
    }

    @Test
    void nobodyStandsBetweenItsParts() {
        cluster.settle();
        ann.leader().takeCommitted();
        long index = propose(ann.leader(), LARGE);
        ann.leader().pump(cluster.clock.read());
        deliverFirst(1);
        deliverFirst(2);
        assertThat(ann.leader().commitIndex()).isBetween(2L, index - 1);
        assertThat(ann.leader().takeCommitted()).isEmpty();
        assertThat(ann.leader().takenIndex()).isEqualTo(1);
        ann.only().only(1, 2, 3);
        cluster.run(300);
        assertThat(texts(ann.leader().takeCommitted())).containsExactly(LARGE);
        assertThat(ann.leader().takenIndex()).isEqualTo(index);
    }

    @Test
    void halfOfOneThatIsCommittedIsNothing() {
        cluster.settle();
        propose(ann.leader(), LARGE);
        ann.leader().pump(cluster.clock.read());
        deliverFirst(1);
        deliverFirst(2);
        long committed = ann.leader().commitIndex();
        assertThat(committed).isGreaterThan(1);
        cluster.stores.clear();
        Cluster.Store ben = cluster.store(2).lead(2);
        cluster.run(1200);
        assertThat(ben.phase()).isEqualTo(LeaderPhase.LEADING);
        propose(ben.leader(), "after");
        ben.leader().pump(cluster.clock.read());
        cluster.settle();
        List<Entry> all = drain(ben);
        assertThat(texts(all)).containsExactly("after");
        Entry noop = all.get(1);
        assertThat(noop.getKind()).isEqualTo(EntryKind.NOOP);
        assertThat(noop.getParts()).isEqualTo(committed - 1);
    }

    @Test
    void aVoterThatWasAwayGetsItFromTheSnapshotOn() {
        ann.only(1, 2);
        cluster.settle();
        propose(ann.leader(), LARGE);
        settled();
        Entry covered = drain(ann).get(1);
        ann.leader()
                .moveSnapshot(
                        Snapshot.newBuilder()
                                .setIndex(covered.getIndex())
                                .setTerm(covered.getTerm())
                                .build());
        propose(ann.leader(), LARGE + "!");
        settled();
        ann.only(1, 2, 3);
        cluster.run(500);
        assertThat(cluster.node(3).view().lastIndex()).isEqualTo(ann.leader().lastIndex());
        assertThat(cluster.node(3).view().snapshot().getIndex()).isEqualTo(covered.getIndex());
        cluster.stores.clear();
        Cluster.Store ben = cluster.store(2).only(2, 3).lead(2);
        cluster.run(1200);
        assertThat(texts(drain(ben))).containsExactly(LARGE + "!");
    }

    @Test
    void theWindowHasRoomForAllPartsOrTakesNone() {
        cluster.settle();
        long before = ann.leader().lastIndex();
        String tooLarge = "x".repeat((int) OPTIONS.windowBytes());
        assertThatThrownBy(() -> propose(ann.leader(), tooLarge))
                .isInstanceOfSatisfying(
                        ProposalRefused.class,
                        refused ->
                                assertThat(refused.reason())
                                        .isEqualTo(ProposalRefused.Reason.TOO_LARGE));
        String most = "x".repeat((int) OPTIONS.windowBytes() * 3 / 4);
        long index = propose(ann.leader(), most);
        assertThatThrownBy(() -> propose(ann.leader(), most))
                .isInstanceOfSatisfying(
                        ProposalRefused.class,
                        refused ->
                                assertThat(refused.reason())
                                        .isEqualTo(ProposalRefused.Reason.WINDOW_FULL));
        assertThat(ann.leader().lastIndex()).isEqualTo(index).isGreaterThan(before + 100);
    }
}
