package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.nio.file.Path;
import java.util.List;
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
}
