package io.tidekv.compute.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.memory.MemoryTabletStore;
import io.tidekv.objects.restore.StateMaker;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two regions, divided at "m", in which transactions were cut off. */
class SettlementTest {
    private static final ByteString MIDDLE = ByteString.copyFrom(TxnKey.of(raw("m")).encoded());

    private final MemoryObjectStore objects = new MemoryObjectStore();
    private final MemoryTabletStore tablets =
            new MemoryTabletStore(7, 1, objects, Randomness.seeded(1));
    private final StateMaker maker = new TabletStateMaker(tablets, () -> {});
    private final WriteBatchBuilder left = new WriteBatchBuilder();
    private final WriteBatchBuilder right = new WriteBatchBuilder();
    private List<TabletRecord> settled = List.of();

    private static ByteString raw(String key) {
        return ByteString.copyFromUtf8(key);
    }

    private WriteBatchBuilder of(String key) {
        return key.compareTo("m") < 0 ? left : right;
    }

    private void lock(String key, LockRecord.Builder lock) {
        of(key).put(Cf.LOCK, TxnKey.of(raw(key)).encoded(), LockCodec.encode(lock.build()));
    }

    /** A prewrite of a long value. */
    private LockRecord.Builder prewrite(String key, String primary, long startTs) {
        of(key).put(Cf.DEFAULT, TxnKey.of(raw(key)).at(startTs), new byte[300]);
        return LockRecord.builder(LockKind.PUT, raw(primary), startTs);
    }

    private void committed(String key, long startTs, long commitTs) {
        of(key).put(Cf.DEFAULT, TxnKey.of(raw(key)).at(startTs), new byte[300]);
        of(key).put(
                        Cf.WRITE,
                        TxnKey.of(raw(key)).at(commitTs),
                        WriteCodec.encode(WriteRecord.of(WriteKind.PUT, startTs, null)));
    }

    private void settle(long upToTs) {
        settled =
                maker.settle(
                        List.of(
                                state(1, ByteString.EMPTY, MIDDLE, left),
                                state(2, MIDDLE, ByteString.EMPTY, right)),
                        upToTs);
        assertThat(rows(0, Cf.LOCK) + rows(1, Cf.LOCK)).as("locks").isZero();
    }

    private TabletRecord state(long id, ByteString start, ByteString end, WriteBatchBuilder batch) {
        RegionShape shape =
                RegionShape.newBuilder().setRegionId(id).setStartKey(start).setEndKey(end).build();
        try (StateMaker.Replay replay = maker.beginEmpty(shape, 1, 5)) {
            replay.apply(
                    Entry.newBuilder()
                            .setIndex(1)
                            .setTerm(1)
                            .setKind(EntryKind.WRITE)
                            .setData(batch.build())
                            .build());
            return replay.finish();
        }
    }

    private Tablet open(int region) {
        TabletRecord record = settled.get(region);
        return tablets.open(
                new PreparedRecord(ObjectRef.getDefaultInstance(), record), record.getShape());
    }

    private int rows(int region, Cf cf) {
        int rows = 0;
        try (Tablet tablet = open(region);
                KvSnapshot view = tablet.snapshot(tablet.state().shape());
                KvIterator all = view.iterator(cf, new byte[0], null)) {
            for (all.seekToFirst(); all.isValid(); all.next()) {
                rows++;
            }
        }
        return rows;
    }

    /** When the value that a reader sees was committed; 0: it sees none. */
    private long seen(String key) {
        try (Tablet tablet = open(key.compareTo("m") < 0 ? 0 : 1);
                KvSnapshot view = tablet.snapshot(tablet.state().shape());
                MvccReader reader = new MvccReader(view)) {
            Version version = reader.visible(TxnKey.of(raw(key)), Long.MAX_VALUE);
            if (version != null) {
                assertThat(reader.value(TxnKey.of(raw(key)), version.write()).size())
                        .isEqualTo(300);
            }
            return version == null ? 0 : version.commitTs();
        }
    }

    @Test
    void aLockGoesTheWayOfItsPrimary() {
        committed("a", 10, 20);
        lock("x", prewrite("x", "a", 10));
        lock("b", prewrite("b", "b", 11));
        lock("y", prewrite("y", "b", 11));
        lock("c", LockRecord.builder(LockKind.PESSIMISTIC, raw("c"), 12));
        lock("z", prewrite("z", "gone", 13));
        settle(-1);
        assertThat(seen("a")).isEqualTo(20);
        assertThat(seen("x")).as("its primary is committed").isEqualTo(20);
        for (String key : List.of("b", "y", "c", "z")) {
            assertThat(seen(key)).as(key).isZero();
        }
        assertThat(rows(0, Cf.DEFAULT) + rows(1, Cf.DEFAULT)).as("values").isEqualTo(2);
    }

    @Test
    void anAsynchronousCommitIsDecidedByAllItsLocks() {
        lock("a", prewrite("a", "a", 10).asyncCommit(List.of(raw("x"))).minCommitTs(30));
        lock("x", prewrite("x", "a", 10).asyncCommit(List.of()).minCommitTs(35));
        lock("b", prewrite("b", "b", 11).asyncCommit(List.of(raw("w"))).minCommitTs(30));
        lock("c", prewrite("c", "c", 12).asyncCommit(List.of(raw("y"))).minCommitTs(30));
        committed("y", 12, 33);
        settle(-1);
        assertThat(seen("a")).isEqualTo(35);
        assertThat(seen("x")).isEqualTo(35);
        assertThat(seen("b")).as("a key of it was never locked").isZero();
        assertThat(seen("c")).as("a key of it is committed").isEqualTo(33);
        assertThat(seen("y")).isEqualTo(33);
    }

    @Test
    void nothingLaterThanTheMomentStays() {
        committed("a", 10, 20);
        committed("a", 21, 40);
        committed("x", 21, 40);
        lock("y", prewrite("y", "a", 21));
        committed("b", 22, 41);
        lock("z", prewrite("z", "a", 10));
        settle(25);
        assertThat(seen("a")).isEqualTo(20);
        assertThat(seen("z")).isEqualTo(20);
        for (String key : List.of("b", "x", "y")) {
            assertThat(seen(key)).as(key).isZero();
        }
        assertThat(rows(0, Cf.DEFAULT) + rows(1, Cf.DEFAULT)).as("values").isEqualTo(2);
    }

    @Test
    void aCommitOfAnyKeyCountsInStatesThatWereTakenOneAfterTheOther() {
        // The left state was taken while the primary was locked, the right one after the commit.
        lock("a", prewrite("a", "a", 10));
        lock("b", prewrite("b", "a", 10));
        committed("x", 10, 20);
        // The same, but committed after the moment.
        lock("c", prewrite("c", "c", 12));
        committed("y", 12, 30);
        // A rollback is no commit.
        lock("d", prewrite("d", "d", 13));
        right.put(
                Cf.WRITE,
                TxnKey.of(raw("z")).at(13),
                WriteCodec.encode(WriteRecord.rollback(13, true)));
        settle(25);
        for (String key : List.of("a", "b", "x")) {
            assertThat(seen(key)).as(key).isEqualTo(20);
        }
        for (String key : List.of("c", "y", "d", "z")) {
            assertThat(seen(key)).as(key).isZero();
        }
    }

    @Test
    void aRegionWithoutLocksAndWithoutLaterCommitsIsNotRead() {
        committed("a", 10, 25);
        committed("b", 9, 20);
        lock("x", prewrite("x", "x", 26));
        TabletRecord resting = state(1, ByteString.EMPTY, MIDDLE, left);
        TabletRecord busy = state(2, MIDDLE, ByteString.EMPTY, right);
        assertThat(resting.getMaxCommitTs()).isEqualTo(25);
        resting.getColumnFamiliesList().stream()
                .flatMap(family -> family.getFilesList().stream())
                .forEach(file -> objects.delete(file.getObject().getKey()));

        settled = maker.settle(List.of(resting, busy), 25);
        assertThat(settled.get(0)).isEqualTo(resting);
        assertThat(rows(1, Cf.LOCK)).isZero();

        TabletRecord untold = resting.toBuilder().clearMaxCommitTs().build();
        assertThatThrownBy(() -> maker.settle(List.of(untold, busy), 25))
                .as("what does not tell is read")
                .isInstanceOf(KvException.class);
        assertThatThrownBy(() -> maker.settle(List.of(resting, busy), 24))
                .isInstanceOf(KvException.class);
    }
}
