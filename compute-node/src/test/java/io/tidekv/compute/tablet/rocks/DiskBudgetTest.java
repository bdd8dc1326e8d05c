package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.region.RegionShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tablet larger than the local disk, and readers that must not notice. */
class DiskBudgetTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int ROWS = 4000;
    private static final long BUDGET = 300_000;

    @TempDir Path folder;

    private final SwitchableStore objects = new SwitchableStore();
    private final TabletModel model = new TabletModel(5, ROWS);
    private PreparedRecord record;

    /** About 1 MB in files of 24 KB, all in the lowest level. */
    @BeforeEach
    void publish() {
        try (TestStores stores = new TestStores(objects, folder.resolve("a"), false, 1000)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            for (int i = 0; i < ROWS; i++) {
                tablet.apply(List.of(model.put(Cf.DEFAULT, i, 250)));
            }
            stores.publish(tablet, 3);
            stores.compactor(stores.settings, 1).compact(tablet);
            record = stores.publish(tablet, 3);
            tablet.close();
        }
        assertThat(files()).hasSizeGreaterThan(20);
    }

    @AfterEach
    void close() {
        objects.close();
    }

    private List<SstFile> files() {
        return List.copyOf(RecordFiles.byNumber(record.record()).values());
    }

    private TestStores stores(long bytes, boolean hydrate) {
        Path disk = folder.resolve("b" + bytes);
        return new TestStores(objects, disk, TestStores.settings(disk, hydrate, 8), bytes);
    }

    private RocksTablet open(TestStores stores) {
        return (RocksTablet) stores.tablets.open(stores.tablets.load(7, record.ref()), WHOLE);
    }

    @Test
    void tabletLargerThanTheDiskIsReadWithinTheBudget() {
        try (TestStores stores = stores(BUDGET, false)) {
            RocksTablet tablet = open(stores);
            for (int round = 0; round < 2; round++) {
                model.verify(tablet, WHOLE);
                await().until(() -> stores.cache.stats().bytes() <= BUDGET);
            }
            assertThat(stores.cache.stats().evictions()).isPositive();
            assertThat(stores.tablets.stats().waits()).isPositive();
            assertThat(stores.tablets.stats().missingFiles()).isPositive();
            tablet.close();
        }
    }

    @Test
    void warmingFillsTheDiskAndNoMore() {
        try (TestStores stores = stores(BUDGET, true)) {
            RocksTablet tablet = open(stores);
            await().until(() -> !stores.cache.hasRoom(60_000));
            assertThat(stores.cache.stats().bytes()).isLessThanOrEqualTo(BUDGET);
            assertThat(stores.cache.stats().evictions()).isZero();
            tablet.close();
        }
    }

    /** Such a reader may be on a thread that serves everybody. */
    @Test
    void readersThatWerePromisedNotToWaitDoNot() {
        try (TestStores stores = stores(1L << 30, true)) {
            RocksTablet tablet = open(stores);
            await().until(tablet::hydrated);
            List<Long> numbers = files().stream().map(SstFile::getNumber).toList();
            Path tables = tablet.instance().folder().tables();
            Path first = tables.resolve(ManifestWriter.tableName(numbers.get(0)));
            try (KvSnapshot steady = tablet.snapshot(WHOLE)) {
                assertThat(steady.mayBlock()).isFalse();
                tablet.files().evict(numbers);
                assertThat(tablet.hydrated()).isFalse();
                assertThat(first).exists();
                objects.down = true;
                try (KvSnapshot later = tablet.snapshot(WHOLE)) {
                    assertThat(later.mayBlock()).isTrue();
                }
                for (int i = 0; i < ROWS; i += 100) {
                    byte[] key = TabletModel.key(i);
                    byte[] value = model.families.get(Cf.DEFAULT).get(key);
                    assertThat(steady.get(Cf.DEFAULT, key)).isEqualTo(value);
                }
            }
            assertThat(first).doesNotExist();
            objects.down = false;
            model.verify(tablet, WHOLE);
            tablet.close();
        }
    }

    @Test
    void whatIsReadOftenStaysAndScansDoNotCount() {
        try (TestStores stores = stores(1L << 30, true)) {
            RocksTablet tablet = open(stores);
            await().until(tablet::hydrated);
            SstFile hot = files().get(files().size() / 2);
            byte[] key = FileSet.userKey(hot.getSmallest()).toByteArray();
            try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
                for (int i = 0; i < 2000; i++) {
                    snapshot.get(Cf.DEFAULT, key);
                }
                try (KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null)) {
                    for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                        rows.value();
                    }
                }
            }
            long all = files().stream().mapToLong(SstFile::getSize).sum();
            new Evictor(stores.cache, Set.of(tablet), Runnable::run, stores.scheduler)
                    .evict(all - hot.getSize());
            Path tables = tablet.instance().folder().tables();
            for (SstFile file : files()) {
                boolean here =
                        Files.exists(tables.resolve(ManifestWriter.tableName(file.getNumber())));
                assertThat(here).isEqualTo(file.getNumber() == hot.getNumber());
            }
            tablet.close();
        }
    }

    @Test
    void scansFetchAhead() {
        try (TestStores stores = stores(1L << 30, false)) {
            RocksTablet tablet = open(stores);
            objects.fetches.set(0);
            try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                    KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null)) {
                rows.seekToFirst();
                await().until(() -> objects.fetches.get() == 2);
                rows.seekToLast();
                await().until(() -> objects.fetches.get() == 4);
            }
            await().until(() -> stores.cache.stats().fetching() == 0);
            tablet.close();
        }
    }
}
