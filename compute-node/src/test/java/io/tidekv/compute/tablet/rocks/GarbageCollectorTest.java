package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Ints;
import io.tidekv.common.time.ManualClock;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import io.tidekv.compute.raw.RawValues;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.garbage.Deletions;
import io.tidekv.compute.tablet.garbage.ExpirySweep;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GarbageCollectorTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int KEYS = 4000;

    @TempDir Path folder;

    /** A version of every key, 1 KB each. */
    private static void write(RocksTablet tablet, long ts) {
        for (int from = 0; from < KEYS; from += 100) {
            WriteBatchBuilder batch = new WriteBatchBuilder();
            for (int key = from; key < from + 100; key++) {
                byte[] stored = TabletModel.key(key);
                WriteRecord record = WriteRecord.of(WriteKind.PUT, ts - 1, null);
                batch.put(Cf.WRITE, Ints.withDesc(stored, ts), WriteCodec.encode(record));
                batch.put(Cf.DEFAULT, Ints.withDesc(stored, ts - 1), new byte[300]);
            }
            tablet.apply(List.of(entry(tablet, batch.build())));
        }
    }

    private static Entry entry(RocksTablet tablet, ByteString data) {
        return Entry.newBuilder()
                .setIndex(tablet.applied().index() + 1)
                .setTerm(3)
                .setKind(EntryKind.WRITE)
                .setData(data)
                .build();
    }

    private static int rows(RocksTablet tablet, Cf cf) {
        int rows = 0;
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                KvIterator at = snapshot.iterator(cf, null, null)) {
            for (at.seekToFirst(); at.isValid(); at.next()) {
                rows++;
            }
        }
        return rows;
    }

    @Test
    void oldVersionsGoAndCleanTabletsAreNotRead() throws Exception {
        SwitchableStore objects = new SwitchableStore();
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), false)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            for (long ts = 10; ts <= 30; ts += 10) {
                write(tablet, ts);
            }
            stores.tablets.collectGarbage(25);
            await().until(() -> rows(tablet, Cf.WRITE) == 2 * KEYS);
            await().until(() -> rows(tablet, Cf.DEFAULT) == 2 * KEYS);
            await().until(() -> tablet.garbage().isIdle());
            // The pass has seen versions that a higher safe point makes garbage of.
            stores.tablets.collectGarbage(35);
            await().until(() -> rows(tablet, Cf.WRITE) == KEYS);
            await().until(() -> tablet.garbage().isIdle());
            assertThat(stores.tablets.garbageRowsDropped()).isGreaterThanOrEqualTo(2 * KEYS);
            PreparedRecord record = stores.publish(tablet, 3);
            tablet.close();

            RocksTablet again =
                    (RocksTablet) stores.tablets.open(stores.tablets.load(7, record.ref()), WHOLE);
            again.files()
                    .evict(
                            record.record().getColumnFamiliesList().stream()
                                    .flatMap(family -> family.getFilesList().stream())
                                    .map(file -> file.getNumber())
                                    .toList());
            objects.fetches.set(0);
            stores.tablets.collectGarbage(45);
            assertThat(again.garbage().isIdle()).isTrue();
            assertThat(objects.fetches).hasValue(0);
            again.close();
        }
    }

    private static long bytes(PreparedRecord record) {
        return record.record().getColumnFamiliesList().stream()
                .flatMap(family -> family.getFilesList().stream())
                .mapToLong(file -> file.getSize())
                .sum();
    }

    @Test
    void rawValuesGoWhenTheyHaveEndedAndTheirTablesShrink() throws Exception {
        TabletSettings settings = TestStores.settings(folder.resolve("a"), ApiMode.V1TTL);
        try (TestStores stores =
                new TestStores(new SwitchableStore(), folder.resolve("a"), settings)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            RawValues values = new RawValues(ApiMode.V1TTL);
            Random random = new Random(7);
            for (int from = 0; from < KEYS; from += 100) {
                WriteBatchBuilder batch = new WriteBatchBuilder();
                for (int key = from; key < from + 100; key++) {
                    byte[] noise = new byte[300];
                    random.nextBytes(noise);
                    long ends = key % 4 == 0 ? 0 : 1;
                    Cf cf = Cf.values()[key % 3];
                    byte[] value = values.encode(ByteString.copyFrom(noise), ends, 0);
                    batch.put(cf, TabletModel.key(key), value);
                }
                tablet.apply(List.of(entry(tablet, batch.build())));
            }
            PreparedRecord full = stores.publish(tablet, 3);
            stores.tablets.collectGarbage(0);
            await().until(tablet::changedBesideLog);
            await().until(() -> tablet.garbage().isIdle());
            int left = 0;
            for (Cf cf : List.of(Cf.DEFAULT, Cf.WRITE, Cf.LOCK)) {
                left += rows(tablet, cf);
            }
            assertThat(left).isEqualTo(KEYS / 4);
            // Flushes the deletions; the compaction that it begins ends with another reason.
            stores.publish(tablet, 3);
            await().until(tablet::changedBesideLog);
            assertThat(bytes(stores.publish(tablet, 3))).isLessThan(bytes(full) / 3);
            assertThat(tablet.changedBesideLog()).isFalse();
            tablet.close();
        }
    }

    @Test
    void whatHasBeenWrittenAgainStays() throws Exception {
        TabletSettings settings = TestStores.settings(folder.resolve("a"), ApiMode.V1TTL);
        try (TestStores stores =
                new TestStores(new SwitchableStore(), folder.resolve("a"), settings)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            RawValues values = new RawValues(ApiMode.V1TTL);
            ByteString value = ByteString.copyFromUtf8("v");
            byte[] ended = values.encode(value, 1, 0);
            WriteBatchBuilder first = new WriteBatchBuilder();
            first.put(Cf.DEFAULT, TabletModel.key(1), ended);
            first.put(Cf.DEFAULT, TabletModel.key(2), ended);
            tablet.apply(List.of(entry(tablet, first.build())));
            ExpirySweep sweep = new ExpirySweep(Cf.DEFAULT, 1000);
            Deletions deletions = new Deletions();
            sweep.row(TabletModel.key(1), ended, deletions);
            sweep.row(TabletModel.key(2), ended, deletions);
            WriteBatchBuilder second = new WriteBatchBuilder();
            second.put(Cf.DEFAULT, TabletModel.key(2), values.encode(value, 0, 1000));
            tablet.apply(List.of(entry(tablet, second.build())));
            tablet.amend(deletions);
            try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
                assertThat(snapshot.get(Cf.DEFAULT, TabletModel.key(1))).isNull();
                assertThat(snapshot.get(Cf.DEFAULT, TabletModel.key(2))).isNotNull();
            }
            tablet.close();
        }
    }

    @Test
    void aTabletThatRestsIsWokenWhenItsValuesHaveEnded() throws Exception {
        TabletSettings settings = TestStores.settings(folder.resolve("a"), ApiMode.V1TTL);
        ManualClock clock = new ManualClock();
        try (TestStores stores =
                new TestStores(
                        new SwitchableStore(), folder.resolve("a"), settings, 1L << 30, clock)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            RawValues values = new RawValues(ApiMode.V1TTL);
            WriteBatchBuilder batch = new WriteBatchBuilder();
            byte[] value = values.encode(ByteString.EMPTY, 3600, clock.wallMillis() / 1000);
            batch.put(Cf.DEFAULT, TabletModel.key(1), value);
            tablet.apply(List.of(entry(tablet, batch.build())));
            PreparedRecord record = stores.publish(tablet, 3);
            stores.tablets.collectGarbage(0);
            await().until(() -> tablet.garbage().endsAtSeconds() != Long.MAX_VALUE);
            tablet.close();
            List<Long> woken = new ArrayList<>();
            stores.tablets.wakeEnded(woken::add);
            assertThat(woken).isEmpty();

            clock.advanceMillis(3 * 3_600_000);
            stores.tablets.wakeEnded(woken::add);
            assertThat(woken).containsExactly(7L);
            RocksTablet again =
                    (RocksTablet) stores.tablets.open(stores.tablets.load(7, record.ref()), WHOLE);
            stores.tablets.collectGarbage(0);
            await().until(() -> rows(again, Cf.DEFAULT) == 0);
            await().until(() -> again.garbage().isIdle());
            again.close();
            stores.tablets.wakeEnded(woken::add);
            assertThat(woken).hasSize(1);
        }
    }
}
