package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WouldBlock;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.crypto.MasterKey;
import io.tidekv.objects.store.EncryptedObjectStore;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.Faults.Moment;
import io.tidekv.objects.store.Faults.Operation;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.region.RegionShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Large files that are not on this disk, read in pieces. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GranuleTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int ROWS = 6000;
    private static final int GRANULE = 16 << 10;
    private static final int NEVER = 1000;

    @TempDir static Path folder;

    private final MemoryObjectStore memory = new MemoryObjectStore();
    private final TabletModel model = new TabletModel(11, ROWS);
    private PreparedRecord record;
    private Faults faults;
    private SwitchableStore objects;
    private TestStores stores;
    private int disks;

    /** Two files of about 1 MB in the lowest level, one of them full, and nothing on this disk. */
    @BeforeAll
    void publish() {
        record = publish(new SwitchableStore(memory));
    }

    private PreparedRecord publish(SwitchableStore to) {
        Path disk = folder.resolve("source" + ++disks);
        TabletSettings settings = TestStores.granular(disk, false, NEVER);
        try (TestStores source = new TestStores(to, disk, settings)) {
            RocksTablet tablet = (RocksTablet) source.tablets.open(null, WHOLE);
            if (model.lastIndex() == 0) {
                for (int i = 0; i < ROWS; i++) {
                    model.put(Cf.DEFAULT, i, 260);
                }
                for (int i = 0; i < ROWS; i += 10) {
                    model.put(Cf.WRITE, i, 2000);
                }
            }
            tablet.apply(model.tail(tablet));
            source.publish(tablet, 3);
            source.compactor(settings, 1).compact(tablet);
            PreparedRecord published = source.publish(tablet, 3);
            tablet.close();
            return published;
        }
    }

    @BeforeEach
    void emptyDisk() {
        faults = new Faults(Randomness.seeded(4));
        objects = new SwitchableStore(new FaultyObjectStore(memory, faults, Sleeper.real()));
        stores = stores(NEVER);
    }

    @AfterEach
    void close() {
        stores.close();
    }

    private TestStores stores(int wholeAtPercent) {
        Path disk = folder.resolve("disk" + ++disks);
        return new TestStores(objects, disk, TestStores.granular(disk, false, wholeAtPercent));
    }

    private RocksTablet open() {
        return (RocksTablet) stores.tablets.open(stores.tablets.load(7, record.ref()), WHOLE);
    }

    private byte[] truth(Cf cf, int row) {
        return model.families.get(cf).get(TabletModel.key(row));
    }

    private void check(RocksTablet tablet, int row) {
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            check(snapshot, row);
        }
    }

    private void check(KvSnapshot snapshot, int row) {
        assertThat(snapshot.get(Cf.DEFAULT, TabletModel.key(row)))
                .isEqualTo(truth(Cf.DEFAULT, row));
    }

    /** A store that is slow to answer properly may cost a read, but never gives a wrong one. */
    private void checkSoon(RocksTablet tablet, int row) {
        try {
            check(tablet, row);
        } catch (KvException e) {
            assertThat(e.error()).isInstanceOf(KvError.RegionUnavailable.class);
            check(tablet, row);
        }
    }

    /** The fullest file of the default family. */
    private SstFile largest() {
        return record.record().getColumnFamilies(Cf.DEFAULT.id()).getFilesList().stream()
                .max(Comparator.comparingLong(SstFile::getSize))
                .orElseThrow();
    }

    @Test
    void aColdReadFetchesAnEndAndAGranule() {
        assertThat(largest().getSize()).isGreaterThan(900_000);
        RocksTablet tablet = open();
        check(tablet, 100);
        assertThat(objects.fetches).hasValue(2);
        long tail = RecordFiles.tailBytes(largest());
        assertThat(tail).isLessThan(largest().getSize() / 20);
        assertThat(objects.fetchedBytes.get()).isBetween(tail + 1, tail + GRANULE);
        check(tablet, 100);
        check(tablet, 101);
        assertThat(objects.fetches).hasValue(2);
        check(tablet, 1500);
        assertThat(objects.fetches).hasValue(3);
        assertThat(tablet.hydrated()).isFalse();
        assertThat(stores.tablets.stats().partFiles()).isEqualTo(1);
        assertThat(stores.tablets.stats().partReads()).isEqualTo(4);
        assertThat(stores.tablets.stats().partMisses()).isEqualTo(2);
        assertThat(stores.cache.stats().partBytes()).isEqualTo(objects.fetchedBytes.get());
        assertThat(stores.cache.stats().files()).isZero();
        tablet.close();
        assertThat(stores.cache.stats().partBytes()).isZero();
        assertThat(stores.tablets.stats().partFiles()).isZero();
    }

    /** As a transaction looks for the versions of one key. */
    @Test
    void aSmallRangeIsReadInGranules() {
        RocksTablet tablet = open();
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                KvIterator rows =
                        snapshot.iterator(Cf.WRITE, TabletModel.key(100), TabletModel.key(101))) {
            rows.seek(TabletModel.key(100));
            assertThat(rows.isValid()).isTrue();
            assertThat(rows.value()).isEqualTo(truth(Cf.WRITE, 100));
            rows.next();
            assertThat(rows.isValid()).isFalse();
            rows.seekToLast();
            assertThat(rows.key()).isEqualTo(TabletModel.key(100));
            rows.prev();
            assertThat(rows.isValid()).isFalse();
        }
        assertThat(objects.fetches.get()).isBetween(2, 4);
        assertThat(objects.fetchedBytes.get()).isLessThan(200_000);
        tablet.close();
    }

    /** Threads that must not wait get what is here and are told of the rest. */
    @Test
    void whatIsHereIsReadWithoutWaiting() {
        RocksTablet tablet = open();
        check(tablet, 100);
        int fetches = objects.fetches.get();
        byte[] far = TabletModel.key(1500);
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            assertThat(snapshot.mayBlock()).isTrue();
            snapshot.waits(false);
            check(snapshot, 100);
            try (KvIterator rows =
                    snapshot.iterator(Cf.DEFAULT, TabletModel.key(100), TabletModel.key(101))) {
                rows.seekToFirst();
                assertThat(rows.value()).isEqualTo(truth(Cf.DEFAULT, 100));
            }
            assertThatThrownBy(() -> snapshot.get(Cf.DEFAULT, far)).isInstanceOf(WouldBlock.class);
            try (KvIterator rows = snapshot.iterator(Cf.DEFAULT, far, TabletModel.key(1501))) {
                assertThatThrownBy(rows::seekToFirst).isInstanceOf(WouldBlock.class);
            }
            try (KvIterator rows = snapshot.iterator(Cf.DEFAULT, TabletModel.key(100), null)) {
                assertThatThrownBy(rows::seekToFirst).isInstanceOf(WouldBlock.class);
            }
            assertThat(objects.fetches).hasValue(fetches);
            snapshot.waits(true);
            check(snapshot, 1500);
            assertThat(objects.fetches.get()).isGreaterThan(fetches);
        }
        tablet.close();
    }

    @Test
    void manyReadersWaitForOneFetch() throws Exception {
        RocksTablet tablet = open();
        int readers = 8;
        ExecutorService pool = Executors.newFixedThreadPool(readers);
        CountDownLatch together = new CountDownLatch(readers);
        List<Future<?>> reads = new ArrayList<>();
        for (int i = 0; i < readers; i++) {
            reads.add(
                    pool.submit(
                            () -> {
                                together.countDown();
                                together.await();
                                check(tablet, 100);
                                return null;
                            }));
        }
        for (Future<?> read : reads) {
            read.get();
        }
        pool.shutdown();
        assertThat(objects.fetches).hasValue(2);
        tablet.close();
    }

    @Test
    void shortAndDamagedBodiesAreReadAgain() {
        RocksTablet tablet = open();
        faults.cutNextBody();
        checkSoon(tablet, 100);
        assertThat(objects.fetches).hasValue(3);
        faults.cutNextBody();
        checkSoon(tablet, 1000);
        assertThat(objects.fetches).hasValue(5);
        // A flipped bit shows only when RocksDB reads the block: then the file is fetched whole.
        for (int row : new int[] {1500, 2000, 2500}) {
            if (!tablet.files().isWhole(largest().getNumber())) {
                faults.flipNextBody();
            }
            for (int near = row - 40; near < row + 40; near++) {
                check(tablet, near);
            }
        }
        assertThat(tablet.files().isWhole(largest().getNumber())).isTrue();
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void aDamagedEndIsNoticed() {
        for (int i = 0; i < 20; i++) {
            RocksTablet tablet = open();
            faults.flipNextBody();
            check(tablet, 100 * i);
            check(tablet, 100 * i + 50);
            tablet.close();
            stores.close();
            stores = stores(NEVER);
        }
    }

    @Test
    void aDamagedObjectIsRefused() {
        SstFile bad = largest();
        SwitchableStore inside = new SwitchableStore(memory);
        RocksTablet tablet = open();
        check(tablet, 1);
        inside.damage(bad.getObject().getKey());
        int refused = 0;
        for (int row = 0; row < ROWS; row += 25) {
            try {
                check(tablet, row);
            } catch (KvException e) {
                assertThat(e.error()).isInstanceOf(KvError.RegionUnavailable.class);
                assertThat(e).hasMessageContaining(bad.getObject().getKey());
                refused++;
            }
        }
        assertThat(refused).isBetween(1, 20);
        inside.damage(bad.getObject().getKey());
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void anOutageIsATypedErrorForWhatIsNotHere() {
        RocksTablet tablet = open();
        check(tablet, 100);
        objects.down = true;
        check(tablet, 100);
        assertThatThrownBy(() -> check(tablet, 1500))
                .isInstanceOfSatisfying(
                        KvException.class,
                        e -> assertThat(e.error()).isInstanceOf(KvError.RegionUnavailable.class));
        objects.down = false;
        check(tablet, 1500);
        tablet.close();
    }

    @Test
    void nothingIsTrustedAfterARestart() {
        RocksTablet tablet = open();
        check(tablet, 100);
        tablet.close();
        stores.close();
        objects.fetches.set(0);
        stores = new TestStores(objects, stores.folder, stores.settings);
        tablet = open();
        check(tablet, 100);
        assertThat(objects.fetches).hasValue(2);
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void aFileThatIsReadMuchIsFetchedWholeUnderOpenReaders() {
        stores.close();
        stores = stores(25);
        RocksTablet tablet = open();
        SstFile file = largest();
        try (KvSnapshot early = tablet.snapshot(WHOLE);
                KvIterator narrow =
                        early.iterator(Cf.DEFAULT, TabletModel.key(100), TabletModel.key(110))) {
            narrow.seekToFirst();
            for (int row = 0; !tablet.files().isWhole(file.getNumber()); row += 30) {
                check(tablet, row % ROWS);
            }
            long wholeFiles = stores.cache.stats().fetches();
            assertThat(wholeFiles).isPositive();
            objects.down = true;
            for (int row = 100; row < 110; row++) {
                assertThat(narrow.key()).isEqualTo(TabletModel.key(row));
                assertThat(narrow.value()).isEqualTo(truth(Cf.DEFAULT, row));
                narrow.next();
            }
            for (int row = 0; row < 1000; row += 7) {
                assertThat(early.get(Cf.DEFAULT, TabletModel.key(row)))
                        .isEqualTo(truth(Cf.DEFAULT, row));
            }
            objects.down = false;
        }
        model.verify(tablet, WHOLE);
        assertThat(tablet.hydrated()).isTrue();
        assertThat(stores.cache.stats().partBytes()).isZero();
        tablet.close();
    }

    @Test
    void granulesAreGivenUpButNotUnderReaders() throws Exception {
        RocksTablet tablet = open();
        long number = largest().getNumber();
        check(tablet, 50);
        check(tablet, 1500);
        long tail = RecordFiles.tailBytes(largest());
        long two = stores.cache.stats().partBytes();
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                KvIterator rows =
                        snapshot.iterator(Cf.DEFAULT, TabletModel.key(100), TabletModel.key(110))) {
            rows.seekToFirst();
            tablet.files().evict(List.of(number));
            assertThat(stores.cache.stats().partBytes()).isGreaterThanOrEqualTo(two);
            assertThat(rows.value()).isEqualTo(truth(Cf.DEFAULT, 100));
        }
        tablet.files().evict(List.of(number));
        assertThat(stores.cache.stats().partBytes()).isEqualTo(tail);
        objects.fetches.set(0);
        check(tablet, 1500);
        assertThat(objects.fetches).hasValue(1);
        Evictor evictor =
                new Evictor(stores.cache, Set.of(tablet), Runnable::run, stores.scheduler);
        evictor.evict(1);
        assertThat(stores.cache.stats().partBytes()).isEqualTo(tail);
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void inputsOfACompactionAreWhole() {
        RocksTablet tablet = open();
        TabletModel more = model.asOf(model.lastIndex());
        for (int row = 0; row < ROWS; row += 400) {
            check(tablet, row);
        }
        for (int row = 0; row < ROWS; row += 300) {
            tablet.apply(List.of(more.put(Cf.DEFAULT, row, 300)));
        }
        stores.publish(tablet, 3);
        stores.compactor(stores.settings, 1).compact(tablet);
        PreparedRecord after = stores.publish(tablet, 3);
        assertThat(RecordFiles.byNumber(after.record())).doesNotContainKey(largest().getNumber());
        assertThat(stores.tablets.stats().partHoles()).isZero();
        more.verify(tablet, WHOLE);
        assertThat(stores.cache.stats().partBytes()).isZero();
        tablet.close();
    }

    @Test
    void aScanFetchesWholeFilesOneAfterTheOther() {
        RocksTablet tablet = open();
        for (int row = 0; row < ROWS; row += 200) {
            check(tablet, row);
        }
        assertThat(stores.tablets.stats().partFiles()).isGreaterThan(1);
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null)) {
            rows.seekToFirst();
            for (Map.Entry<byte[], byte[]> row : model.families.get(Cf.DEFAULT).entrySet()) {
                assertThat(rows.key()).isEqualTo(row.getKey());
                rows.next();
            }
            assertThat(rows.isValid()).isFalse();
        }
        await().until(() -> stores.tablets.stats().partFiles() == 0);
        tablet.close();
    }

    /** A hole that passes for a block ends the process: none is read to find out. */
    @Test
    void holesAreNotRead() {
        RocksTablet tablet = open();
        for (int row = 0; row < ROWS; row += 7) {
            check(tablet, row);
        }
        for (int row = 0; row < ROWS; row += 130) {
            checkRange(tablet, row, row + 2);
        }
        assertThat(stores.tablets.stats().partHoles()).isZero();
        model.verify(tablet, WHOLE);
        tablet.close();
        for (boolean forward : new boolean[] {true, false}) {
            tablet = open();
            for (int row = 0; row < ROWS; row += 700) {
                check(tablet, row);
            }
            scan(tablet, forward);
            assertThat(stores.tablets.stats().partHoles()).isZero();
            tablet.close();
        }
    }

    private void checkRange(RocksTablet tablet, int from, int to) {
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                KvIterator rows =
                        snapshot.iterator(Cf.DEFAULT, TabletModel.key(from), TabletModel.key(to))) {
            rows.seekToFirst();
            for (int row = from; row < to; row++) {
                assertThat(rows.key()).isEqualTo(TabletModel.key(row));
                rows.next();
            }
            assertThat(rows.isValid()).isFalse();
            rows.seekToLast();
            for (int row = to - 1; row >= from; row--) {
                assertThat(rows.value()).isEqualTo(truth(Cf.DEFAULT, row));
                rows.prev();
            }
            assertThat(rows.isValid()).isFalse();
        }
    }

    /** What is fetched ahead of a scan may not come, and a file with holes lies in its way. */
    @Test
    void aScanStopsBeforeAFileWithHoles() {
        List<SstFile> files =
                record.record().getColumnFamilies(Cf.DEFAULT.id()).getFilesList().stream()
                        .sorted(Comparator.comparing(file -> row(file.getSmallest())))
                        .toList();
        int border = row(files.get(1).getSmallest());
        for (boolean forward : new boolean[] {true, false}) {
            int step = forward ? 1 : -1;
            RocksTablet tablet = open();
            check(tablet, 1);
            check(tablet, ROWS - 1);
            tablet.files().ensure(List.of(files.get(forward ? 0 : 1).getNumber()));
            if (forward) {
                faults.failNext(Operation.GET, 1, Kind.FORBIDDEN, Moment.BEFORE);
            }
            try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                    KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null)) {
                byte[] first = TabletModel.key(border - 3 * step);
                if (forward) {
                    rows.seek(first);
                } else {
                    rows.seekForPrev(first);
                }
                if (forward) {
                    await().until(() -> faults.injected() == 1);
                } else {
                    assertThat(tablet.files().isWhole(files.get(0).getNumber())).isTrue();
                }
                for (int row = border - 3 * step; row != border + 5 * step; row += step) {
                    assertThat(rows.key()).isEqualTo(TabletModel.key(row));
                    if (forward) {
                        rows.next();
                    } else {
                        rows.prev();
                    }
                }
            }
            assertThat(stores.tablets.stats().partHoles()).isZero();
            tablet.close();
            stores.close();
            stores = stores(NEVER);
        }
    }

    private static int row(ByteString internal) {
        return Integer.parseInt(FileSet.userKey(internal).toStringUtf8().substring(1));
    }

    private void scan(RocksTablet tablet, boolean forward) {
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE);
                KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null)) {
            if (forward) {
                rows.seekToFirst();
            } else {
                rows.seekToLast();
            }
            for (int i = 0; i < ROWS; i++) {
                int row = forward ? i : ROWS - 1 - i;
                assertThat(rows.isValid()).isTrue();
                assertThat(rows.key()).isEqualTo(TabletModel.key(row));
                if (forward) {
                    rows.next();
                } else {
                    rows.prev();
                }
            }
            assertThat(rows.isValid()).isFalse();
        }
    }

    @Test
    void encryptedObjectsAreReadInGranules() {
        SwitchableStore encrypted =
                new SwitchableStore(
                        new EncryptedObjectStore(
                                new MemoryObjectStore(),
                                MasterKey.of(new byte[32]),
                                Randomness.seeded(1)));
        PreparedRecord sealed = publish(encrypted);
        Path disk = folder.resolve("disk" + ++disks);
        try (TestStores other =
                new TestStores(encrypted, disk, TestStores.granular(disk, false, NEVER))) {
            RocksTablet tablet =
                    (RocksTablet) other.tablets.open(other.tablets.load(7, sealed.ref()), WHOLE);
            encrypted.fetches.set(0);
            check(tablet, 100);
            assertThat(encrypted.fetches).hasValue(2);
            model.verify(tablet, WHOLE);
            tablet.close();
        }
    }
}
