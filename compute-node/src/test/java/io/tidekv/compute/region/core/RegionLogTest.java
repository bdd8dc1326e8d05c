package io.tidekv.compute.region.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.region.log.MemoryRegionLog;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.region.log.RegionLog.Stage;
import io.tidekv.compute.region.log.VoterLog;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every region log promises its owner, whatever keeps it. */
class RegionLogTest {
    /** One region, opened by one owner after another. */
    private interface Keeper {
        RegionLog open(long term);

        /** Long enough for everything that was sent, and for leases to end. */
        void settle();

        ManualClock clock();
    }

    private static final class Voters implements Keeper {
        private final Cluster cluster = new Cluster(3);

        @Override
        public RegionLog open(long term) {
            Cluster.Store store = cluster.store(term);
            RegionLeader leader =
                    new RegionLeader(
                            Cluster.OPTIONS,
                            LeaderRules.RIGHT,
                            Cluster.REGION,
                            term,
                            store.owner,
                            cluster.config,
                            Cluster.BOOTSTRAP,
                            store.renewer,
                            (walId, request) -> store.links.get(walId).add(request));
            store.leader = leader;
            store.links.keySet().forEach(id -> leader.onConnected(id, clock().read()));
            VoterLog opened = new VoterLog(Cluster.OPTIONS, leader);
            opened.open(clock().read());
            return opened;
        }

        @Override
        public void settle() {
            for (int i = 0; i < 40; i++) {
                clock().advanceMillis(100);
                cluster.stores.forEach(Cluster.Store::tick);
                cluster.settle();
            }
        }

        @Override
        public ManualClock clock() {
            return cluster.clock;
        }

        @Override
        public String toString() {
            return "voters";
        }
    }

    private static final class Memory implements Keeper {
        private final ManualClock clock = new ManualClock();
        private final MemoryRegionLog.Shelf shelf = new MemoryRegionLog.Shelf();
        private final List<RegionLog> opened = new ArrayList<>();

        @Override
        public RegionLog open(long term) {
            RegionLog fresh = new MemoryRegionLog(shelf, Cluster.REGION, term);
            opened.add(fresh);
            fresh.open(clock.read());
            return fresh;
        }

        @Override
        public void settle() {
            opened.forEach(one -> one.tick(clock.read()));
        }

        @Override
        public ManualClock clock() {
            return clock;
        }

        @Override
        public String toString() {
            return "memory";
        }
    }

    static Stream<Keeper> keepers() {
        return Stream.of(new Voters(), new Memory());
    }

    private static RegionLog lead(Keeper keeper, long term) {
        RegionLog opened = keeper.open(term);
        keeper.settle();
        assertThat(opened.stage()).isEqualTo(Stage.LEADING);
        return opened;
    }

    private static long write(RegionLog to, String text) {
        return to.append(EntryKind.WRITE, ByteString.copyFromUtf8(text));
    }

    /** Everything that is not read yet; what has to be fetched comes a little later. */
    private static List<Entry> readAll(Keeper keeper, RegionLog from) {
        List<Entry> all = new ArrayList<>(from.read());
        for (int i = 0; i < 10 && from.readTo() < from.committed(); i++) {
            keeper.settle();
            all.addAll(from.read());
        }
        return all;
    }

    private static List<String> writes(List<Entry> entries) {
        return entries.stream()
                .filter(entry -> entry.getKind() == EntryKind.WRITE)
                .map(entry -> entry.getData().toStringUtf8())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void returnsWhatIsDurableInOrderAndOnce(Keeper keeper) {
        RegionLog one = lead(keeper, 1);
        long a = write(one, "a");
        long b = write(one, "b");
        assertThat(b).isGreaterThan(a);
        one.send(keeper.clock().read());
        keeper.settle();
        assertThat(one.committed()).isEqualTo(b);
        assertThat(writes(readAll(keeper, one))).containsExactly("a", "b");
        assertThat(one.readTo()).isEqualTo(b);
        assertThat(one.read()).isEmpty();
        keeper.settle();
        assertThat(one.atRest()).isTrue();
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void fencesEarlierOwnersAndRecoversWhatTheyWrote(Keeper keeper) {
        RegionLog one = lead(keeper, 1);
        write(one, "a");
        one.send(keeper.clock().read());
        keeper.settle();
        RegionLog two = lead(keeper, 2);
        keeper.settle();
        assertThat(one.stage()).isNotEqualTo(Stage.LEADING);
        assertThatThrownBy(() -> write(one, "late"))
                .isInstanceOfSatisfying(
                        AppendRefused.class,
                        e -> assertThat(e.reason()).isEqualTo(AppendRefused.Reason.NOT_LEADING));
        long b = write(two, "b");
        keeper.settle();
        List<Entry> all = readAll(keeper, two);
        assertThat(writes(all)).containsExactly("a", "b");
        assertThat(all.get(all.size() - 1).getIndex()).isEqualTo(b);
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void anOlderTermNeverLeads(Keeper keeper) {
        lead(keeper, 5);
        RegionLog late = keeper.open(4);
        keeper.settle();
        assertThat(late.stage()).isEqualTo(Stage.FENCED);
        assertThat(late.reason()).isNotEmpty();
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void beginsBehindWhatWasTrimmed(Keeper keeper) {
        RegionLog one = lead(keeper, 1);
        write(one, "a");
        long b = write(one, "b");
        write(one, "c");
        keeper.settle();
        long mark = 0;
        for (Entry entry : readAll(keeper, one)) {
            mark = entry.getIndex() == b ? entry.getTerm() : mark;
        }
        one.trimTo(Snapshot.newBuilder().setIndex(b).setTerm(mark).build());
        write(one, "d");
        keeper.settle();
        RegionLog two = lead(keeper, 2);
        assertThat(two.start().getIndex()).isEqualTo(b);
        assertThat(writes(readAll(keeper, two))).containsExactly("c", "d");
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void readsAgainFromAnEarlierPosition(Keeper keeper) {
        RegionLog one = lead(keeper, 1);
        long a = write(one, "a");
        write(one, "b");
        keeper.settle();
        one.read();
        one.seek(a);
        keeper.settle();
        assertThat(writes(readAll(keeper, one))).containsExactly("b");
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void confirmsItsOwnerOnlyAfterTheQuestion(Keeper keeper) {
        RegionLog one = lead(keeper, 1);
        long token = one.requestConfirm(keeper.clock().read());
        assertThat(one.confirmed(token)).isFalse();
        keeper.settle();
        assertThat(one.confirmed(token)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("keepers")
    void givesTheRegionBack(Keeper keeper) {
        RegionLog one = lead(keeper, 1);
        write(one, "a");
        one.release(keeper.clock().read());
        keeper.settle();
        assertThat(one.stage()).isIn(Stage.RELEASED, Stage.FENCED);
        assertThat(one.lease()).isNull();
        RegionLog two = lead(keeper, 2);
        assertThat(writes(readAll(keeper, two))).containsExactly("a");
    }
}
