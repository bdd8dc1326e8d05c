package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Scheduler;
import io.tidekv.common.time.SystemClock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.ManifestWriter;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HydrationTest {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int KEYS = 4000;

    @TempDir static Path folder;

    private final SwitchableStore objects = new SwitchableStore();
    private final TabletModel model = new TabletModel(11, KEYS);
    private PreparedRecord record;
    private TestStores stores;
    private int disks;

    /** A record with a compacted level, a few files in level 0, and nothing of it on this disk. */
    @BeforeAll
    void publish() throws IOException {
        try (TestStores source = new TestStores(objects, folder.resolve("source"), true, 3)) {
            RocksTablet tablet = (RocksTablet) source.tablets.open(null, WHOLE);
            for (int round = 0; round < 5; round++) {
                for (int i = 0; i < 700; i++) {
                    tablet.apply(List.of(model.next()));
                }
                source.publish(tablet, 3);
                await().until(() -> !tablet.compacting().get());
            }
            record = source.publish(tablet, 3);
            tablet.close();
        }
        assertThat(files().stream().map(SstFile::getLevel)).contains(0, 6);
        assertThat(files()).hasSizeGreaterThan(10);
    }

    @BeforeEach
    void emptyDisk() {
        disks++;
        objects.fetches.set(0);
        objects.down = false;
        stores = new TestStores(objects, folder.resolve("disk" + disks), false);
    }

    @AfterEach
    void close() {
        stores.close();
    }

    private Collection<SstFile> files() {
        return RecordFiles.byNumber(record.record()).values();
    }

    private RocksTablet open() {
        return (RocksTablet) stores.tablets.open(stores.tablets.load(7, record.ref()), WHOLE);
    }

    @Test
    void opensWithoutFetchingAndReadsFetchWhatTheyCover() {
        RocksTablet tablet = open();
        assertThat(objects.fetches).hasValue(0);
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            assertThat(snapshot.mayBlock()).isTrue();
            byte[] key = model.families.get(Cf.DEFAULT).ceilingKey(TabletModel.key(KEYS / 2));
            assertThat(snapshot.get(Cf.DEFAULT, key))
                    .isEqualTo(model.families.get(Cf.DEFAULT).get(key));
        }
        assertThat(objects.fetches.get()).isBetween(1, files().size() / 2);
        model.verify(tablet, WHOLE);
        assertThat(tablet.hydrated()).isTrue();
        int fetched = objects.fetches.get();
        model.verify(tablet, WHOLE);
        assertThat(objects.fetches).hasValue(fetched);
        tablet.close();
    }

    @Test
    void backgroundHydrationBringsEverythingHere() {
        stores.close();
        stores = new TestStores(objects, folder.resolve("hydrating"), true);
        RocksTablet tablet = open();
        await().until(tablet::hydrated);
        objects.down = true;
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    /** However many tablets are opened together. */
    @Test
    void whatIsFetchedAheadKeepsToTheRate() {
        List<Duration> pauses = new ArrayList<>();
        Scheduler waiting =
                new Scheduler() {
                    @Override
                    public Cancellable after(Duration delay, Runnable task) {
                        pauses.add(delay);
                        return () -> {};
                    }

                    @Override
                    public Cancellable every(Duration period, Runnable task) {
                        throw new UnsupportedOperationException();
                    }
                };
        Hydrator slow = new Hydrator(stores.cache, Runnable::run, waiting, SystemClock.INSTANCE, 1);
        RocksTablet one = open();
        RocksTablet other = open();
        slow.enqueue(one);
        assertThat(objects.fetches).hasValue(2);
        slow.enqueue(other);
        assertThat(objects.fetches).hasValue(2);
        assertThat(pauses).hasSize(2).allMatch(pause -> pause.compareTo(Duration.ofMinutes(1)) > 0);
        other.close();
        one.close();
    }

    @Test
    void restartedProcessUsesItsCache() {
        RocksTablet tablet = open();
        model.verify(tablet, WHOLE);
        tablet.close();
        stores.close();
        stores = new TestStores(objects, stores.folder, false);
        int fetched = objects.fetches.get();
        tablet = open();
        model.verify(tablet, WHOLE);
        assertThat(objects.fetches).hasValue(fetched);
        tablet.close();
    }

    @Test
    void missingObjectMakesOnlyItsReadsFailUntilItIsBack() {
        SstFile gone = lowest(Cf.WRITE);
        TabletModel more = model.asOf(model.lastIndex());
        objects.lost.add(gone.getObject().getKey());
        RocksTablet tablet = open();
        byte[] inside = userKey(gone);
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            assertThatThrownBy(() -> snapshot.get(Cf.WRITE, inside))
                    .isInstanceOfSatisfying(
                            KvException.class,
                            e -> {
                                assertThat(e.error()).isInstanceOf(KvError.RegionUnavailable.class);
                                var error = (KvError.RegionUnavailable) e.error();
                                assertThat(error.object()).isEqualTo(gone.getObject().getKey());
                                assertThat(error.regionId()).isEqualTo(7);
                            });
            try (KvIterator rows = snapshot.iterator(Cf.WRITE, null, null)) {
                assertThatThrownBy(
                                () -> {
                                    rows.seekToFirst();
                                    while (rows.isValid()) {
                                        rows.next();
                                    }
                                })
                        .isInstanceOf(KvException.class)
                        .hasMessageContaining(gone.getObject().getKey());
            }
            byte[] lockKey = model.families.get(Cf.LOCK).firstKey();
            assertThat(snapshot.get(Cf.LOCK, lockKey))
                    .isEqualTo(model.families.get(Cf.LOCK).get(lockKey));
            tablet.apply(List.of(more.next()));
            objects.lost.clear();
            assertThat(snapshot.get(Cf.WRITE, inside)).isNotNull();
        }
        more.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void damagedObjectIsRefused() {
        SstFile bad = lowest(Cf.DEFAULT);
        objects.damage(bad.getObject().getKey());
        RocksTablet tablet = open();
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            assertThatThrownBy(() -> snapshot.get(Cf.DEFAULT, userKey(bad)))
                    .isInstanceOf(KvException.class)
                    .hasMessageContaining(bad.getObject().getKey());
        }
        objects.damage(bad.getObject().getKey());
        model.verify(tablet, WHOLE);
        tablet.close();
    }

    @Test
    void rottenLocalCopyIsReplaced() throws IOException {
        for (int kind = 0; kind < 4; kind++) {
            RocksTablet tablet = open();
            model.verify(tablet, WHOLE);
            tablet.close();
            tablet = open();
            tablet.files().fetch(tablet.files().missing());
            for (SstFile file : files()) {
                Path copy =
                        tablet.instance()
                                .folder()
                                .tables()
                                .resolve(ManifestWriter.tableName(file.getNumber()));
                spoil(copy, kind);
            }
            model.verify(tablet, WHOLE);
            tablet.close();
        }
    }

    private static void spoil(Path copy, int kind) throws IOException {
        byte[] content = Files.readAllBytes(copy);
        if (kind == 0) {
            content[100] ^= 4;
            Files.write(copy, content, StandardOpenOption.WRITE);
        } else if (kind == 1) {
            Files.write(copy, new byte[content.length], StandardOpenOption.WRITE);
        } else if (kind == 2) {
            // Of the same name, and a sound table, but another one.
            Path sibling = sibling(copy);
            Files.copy(sibling, copy, StandardCopyOption.REPLACE_EXISTING);
        } else {
            Files.write(
                    copy,
                    Arrays.copyOf(content, content.length / 2),
                    StandardOpenOption.TRUNCATE_EXISTING);
        }
    }

    private static Path sibling(Path table) throws IOException {
        try (Stream<Path> tables = Files.list(table.getParent())) {
            return tables.filter(other -> !other.equals(table)).sorted().findFirst().orElseThrow();
        }
    }

    @Test
    void readersSeeTheTruthWhileFilesComeAndGo() throws Exception {
        RocksTablet tablet = open();
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> readers = new ArrayList<>();
        for (int r = 0; r < 3; r++) {
            int seed = r;
            readers.add(pool.submit(() -> read(tablet, seed, stop)));
        }
        Random random = new Random(1);
        List<SstFile> all = new ArrayList<>(files());
        int evictions = 0;
        long end = System.nanoTime() + Duration.ofMillis(1500).toNanos();
        while (System.nanoTime() < end) {
            tablet.files().evict(List.of(all.get(random.nextInt(all.size())).getNumber()));
            tablet.instance().dropReaders();
            evictions++;
        }
        stop.set(true);
        int reads = 0;
        for (Future<Integer> reader : readers) {
            reads += reader.get();
        }
        pool.shutdown();
        System.out.println(reads + " reads right, " + evictions + " evictions");
        assertThat(reads).isGreaterThan(10);
        tablet.close();
    }

    private int read(Tablet tablet, int seed, AtomicBoolean stop) {
        Random random = new Random(seed);
        int reads = 0;
        while (!stop.get()) {
            try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
                Cf cf = Cf.values()[random.nextInt(3)];
                byte[] key = TabletModel.key(random.nextInt(KEYS));
                assertThat(snapshot.get(cf, key)).isEqualTo(model.families.get(cf).get(key));
                try (KvIterator rows = snapshot.iterator(cf, null, null)) {
                    rows.seek(key);
                    for (Map.Entry<byte[], byte[]> row :
                            model.families.get(cf).tailMap(key).entrySet()) {
                        assertThat(rows.isValid()).isTrue();
                        assertThat(rows.key()).isEqualTo(row.getKey());
                        rows.next();
                        if (random.nextInt(100) == 0) {
                            break;
                        }
                    }
                }
                reads++;
            }
        }
        return reads;
    }

    /** A file below level 0. */
    private SstFile lowest(Cf cf) {
        return record.record().getColumnFamilies(cf.id()).getFilesList().stream()
                .filter(file -> file.getLevel() == 6)
                .findFirst()
                .orElseThrow();
    }

    private static byte[] userKey(SstFile file) {
        return FileSet.userKey(file.getSmallest()).toByteArray();
    }
}
