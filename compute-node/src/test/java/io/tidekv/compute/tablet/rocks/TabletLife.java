package io.tidekv.compute.tablet.rocks;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.engine.WriteBatchReader;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.ChildRecords;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.GranuleSettings;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.MergeRecords;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.PublishRequest;
import io.tidekv.compute.tablet.Publisher;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.AdoptedFiles;
import io.tidekv.compute.tablet.manifest.FileSet;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * A random life of a key space on a few stores around one object store: writes, splits, moves,
 * restarts, publications, evictions, compactions, outages, in an order drawn from a seed. A sorted
 * map knows what every read must answer.
 */
final class TabletLife implements AutoCloseable {
    static final int KEYS = 600;
    private static final int STORES = 2;

    private final Random random;
    private final Path folder;
    private final boolean elsewhere;
    private final SwitchableStore objects = new SwitchableStore();
    private final Map<Cf, TreeMap<byte[], byte[]>> truth = new EnumMap<>(Cf.class);
    private final TestStores[] stores = new TestStores[STORES];
    private final TabletSettings[] settings = new TabletSettings[STORES];
    private final List<Region> regions = new ArrayList<>();
    private final List<HeldView> views = new ArrayList<>();
    private long nextRegion = 8;
    private int openings;

    /** One item of a region's log; a state comes with entries that change it. */
    private record Step(Entry entry, @Nullable RegionState state) {
        /** Applies it; an entry with data and a state is a merge's. */
        void apply(RocksTablet tablet) {
            if (state == null) {
                tablet.apply(List.of(entry));
            } else {
                AppliedMark mark = new AppliedMark(entry.getIndex(), entry.getTerm());
                tablet.applyMerge(mark, state, entry.getData());
            }
        }
    }

    /** A region: keys {@code [low, high)}, its log, and where it is open. */
    private static final class Region {
        private RegionShape shape;
        private final List<Step> log = new ArrayList<>();
        private int low;
        private int high;
        private int store;
        private long term = 1;
        private @Nullable PreparedRecord record;
        private @Nullable RocksTablet open;

        private Region(RegionShape shape, int low, int high, int store) {
            this.shape = shape;
            this.low = low;
            this.high = high;
            this.store = store;
        }

        private RocksTablet tablet() {
            RocksTablet tablet = open;
            assertThat(tablet).isNotNull();
            return tablet;
        }
    }

    /**
     * @param elsewhere whether some compactions are done by a worker; without them a seed lives as
     *     it did before there were any
     */
    TabletLife(long seed, Path folder, boolean elsewhere) {
        this.elsewhere = elsewhere;
        this.random = new Random(seed);
        this.folder = folder;
        for (Cf cf : Cf.values()) {
            truth.put(cf, new TreeMap<>(Arrays::compareUnsigned));
        }
        for (int store = 0; store < STORES; store++) {
            start(store, folder.resolve("disk" + store));
        }
        Region first = new Region(shape(7, 0, KEYS, 1), 0, KEYS, 0);
        regions.add(first);
        open(first);
    }

    /** What RocksDB does by itself must not matter: sizes at which it acts are random too. */
    private void start(int store, Path disk) {
        settings[store] =
                new TabletSettings(
                        TestStores.CLUSTER,
                        1,
                        disk.resolve("tablets"),
                        random.nextInt(8) == 0 ? disk.resolve("none") : Path.of("/dev/shm"),
                        1 << (12 + random.nextInt(12)),
                        32 << 20,
                        1 << (16 + random.nextInt(6)),
                        1 << (11 + random.nextInt(6)),
                        20 + random.nextInt(100),
                        2 + random.nextInt(8),
                        1 << 30,
                        1 << 30,
                        Duration.ofSeconds(20),
                        random.nextBoolean(),
                        granules());
        stores[store] = new TestStores(objects, disk, settings[store], diskBytes());
    }

    /** Enough, or little, or so little that only what is in use stays. */
    private long diskBytes() {
        return switch (random.nextInt(3)) {
            case 0 -> 40_000 + random.nextInt(200_000);
            case 1 -> 1000 + random.nextInt(20_000);
            default -> 1L << 30;
        };
    }

    private GranuleSettings granules() {
        return random.nextInt(4) == 0
                ? GranuleSettings.NONE
                : new GranuleSettings(
                        1 << (8 + random.nextInt(6)),
                        1 << (9 + random.nextInt(6)),
                        10 + random.nextInt(100));
    }

    void run(int steps) throws IOException, RocksDBException {
        for (int step = 0; step < steps; step++) {
            Region region = regions.get(random.nextInt(regions.size()));
            int what = random.nextInt(100);
            if (what < 40) {
                write(region, 1 + random.nextInt(40));
            } else if (what < 55) {
                check(region);
            } else if (what < 66) {
                publish(region);
            } else if (what < 72) {
                evict(region);
            } else if (what < 78) {
                if (elsewhere && what >= 76) {
                    compactElsewhere(region);
                } else {
                    compact(region);
                }
            } else if (what < 83) {
                hold(region);
            } else if (what < 87) {
                letGo(view -> random.nextInt(3) == 0);
            } else if (what < 90) {
                move(region);
            } else if (what < 94) {
                split(region);
            } else if (what < 97) {
                merge(region);
            } else if (what < 99) {
                outage(region);
            } else {
                restart(random.nextInt(STORES));
            }
        }
        letGo(view -> true);
        for (Region region : regions) {
            checkAll(region);
        }
    }

    private static String text(int number) {
        return new String(TabletModel.key(number), StandardCharsets.US_ASCII);
    }

    private static RegionShape shape(long id, int low, int high, long version) {
        return TabletModel.shape(id, low == 0 ? "" : text(low), high == KEYS ? "" : text(high))
                .toBuilder()
                .setVersion(version)
                .build();
    }

    private byte[] key(Region region) {
        return TabletModel.key(region.low + random.nextInt(region.high - region.low));
    }

    private void write(Region region, int entries) {
        for (int i = 0; i < entries; i++) {
            if (random.nextInt(20) == 0) {
                append(region, EntryKind.NOOP, ByteString.EMPTY, null);
                continue;
            }
            WriteBatchBuilder batch = new WriteBatchBuilder();
            for (int left = random.nextInt(6); left >= 0; left--) {
                operation(region, batch);
            }
            append(region, EntryKind.WRITE, batch.build(), null);
        }
        catchUp(region);
    }

    private void operation(Region region, WriteBatchBuilder batch) {
        Cf cf = Cf.values()[random.nextInt(3)];
        TreeMap<byte[], byte[]> rows = truth.get(cf);
        byte[] key = key(region);
        int kind = random.nextInt(20);
        if (kind == 0) {
            byte[] other = key(region);
            boolean ordered = Arrays.compareUnsigned(key, other) <= 0;
            byte[] from = ordered ? key : other;
            byte[] to = ordered ? other : key;
            batch.deleteRange(cf, from, to);
            rows.subMap(from, to).clear();
        } else if (kind < 5) {
            batch.delete(cf, key);
            rows.remove(key);
        } else {
            byte[] value = new byte[random.nextInt(random.nextInt(50) == 0 ? 9000 : 200)];
            random.nextBytes(value);
            batch.put(cf, key, value);
            rows.put(key, value);
        }
    }

    private static void append(
            Region region, EntryKind kind, ByteString data, @Nullable RegionState state) {
        Entry entry =
                Entry.newBuilder()
                        .setIndex(region.log.size() + 1)
                        .setTerm(region.term)
                        .setKind(kind)
                        .setData(data)
                        .build();
        region.log.add(new Step(entry, state));
    }

    /** Applies what the log has beyond the tablet. */
    private static void catchUp(Region region) {
        RocksTablet tablet = region.tablet();
        for (int tries = 0; tablet.applied().index() < region.log.size(); tries++) {
            try {
                region.log.get((int) tablet.applied().index()).apply(tablet);
            } catch (KvException e) {
                assertThat(e.error()).isInstanceOf(KvError.ServerIsBusy.class);
                assertThat(tries).isLessThan(20_000);
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private void open(Region region) {
        PreparedRecord record = region.record;
        RegionShape shape = record == null ? shape(7, 0, KEYS, 1) : record.record().getShape();
        TestStores store = stores[region.store];
        region.open =
                (RocksTablet)
                        store.tablets.open(
                                record == null
                                        ? null
                                        : store.tablets.load(shape.getRegionId(), record.ref()),
                                shape);
        catchUp(region);
        assertThat(region.tablet().state().shape()).isEqualTo(region.shape);
    }

    private void publish(Region region) {
        TestStores store = stores[region.store];
        region.record =
                random.nextBoolean()
                        ? store.publish(region.tablet(), region.term)
                        : store.publishShared(region.tablet(), region.term);
    }

    private void evict(Region region) throws RocksDBException {
        PreparedRecord base = region.tablet().base();
        if (base == null) {
            return;
        }
        List<Long> numbers = new ArrayList<>(RecordFiles.byNumber(base.record()).keySet());
        if (random.nextBoolean()) {
            numbers.removeIf(number -> random.nextBoolean());
        }
        region.tablet().files().evict(numbers);
        if (random.nextBoolean()) {
            region.tablet().instance().dropReaders();
        }
        stores[region.store].cache.evict();
    }

    /** Compacts whatever there is, unless the background is just at it. */
    private void compact(Region region) {
        RocksTablet tablet = region.tablet();
        if (tablet.compacting().compareAndSet(false, true)) {
            tablet.acquire();
            try {
                stores[region.store].compactor(settings[region.store], 1).compact(tablet);
            } finally {
                tablet.instance().release();
                tablet.compacting().set(false);
            }
        }
    }

    /** As a worker and the driver do: a clone is compacted while the tablet goes on. */
    private void compactElsewhere(Region region) {
        RocksTablet tablet = region.tablet();
        if (!tablet.compacting().compareAndSet(false, true)) {
            return;
        }
        publish(region);
        LentCompaction lent = lend(tablet, random.nextInt(3));
        if (lent == null) {
            tablet.compacting().set(false);
            return;
        }
        write(region, random.nextInt(20));
        Compacted result = stores[1 - region.store].tablets.compactClone(lent, region.term);
        if (random.nextBoolean()) {
            publish(region);
            write(region, random.nextInt(20));
        }
        Publisher publisher = stores[region.store].tablets.publisher();
        TabletRecord draft =
                publisher.draft(tablet, new PublishRequest(region.term, ref(region.record)));
        TabletRecord adopted = AdoptedFiles.adopt(draft, lent, result);
        write(region, random.nextInt(5));
        region.record = new PreparedRecord(publisher.store(adopted), adopted);
        tablet.close();
        open(region);
        checkAll(region);
    }

    private @Nullable LentCompaction lend(RocksTablet tablet, int family) {
        PreparedRecord base = tablet.base();
        assertThat(base).isNotNull();
        List<CompactionPicker.Input> files = new ArrayList<>();
        for (SstFile file : RecordFiles.ofFamily(base.record(), family).values()) {
            files.add(
                    new CompactionPicker.Input(
                            file.getNumber(),
                            file.getLevel(),
                            file.getSize(),
                            FileSet.userKey(file.getSmallest()).toByteArray(),
                            FileSet.userKey(file.getLargest()).toByteArray(),
                            0,
                            true));
        }
        CompactionPicker.Pick pick =
                random.nextBoolean()
                        ? new CompactionPicker(1, 4000).pick(files)
                        : CompactionPicker.everything(files);
        return pick == null
                ? null
                : new LentCompaction(
                        base,
                        family,
                        pick.inputs().stream().map(CompactionPicker.Input::number).toList(),
                        pick.outputLevel(),
                        pick.bytes(),
                        4000 + random.nextInt(20_000));
    }

    private void move(Region region) {
        if (random.nextBoolean()) {
            publish(region);
        }
        region.tablet().close();
        region.store = random.nextInt(STORES);
        region.term++;
        open(region);
    }

    /** As the driver does: everything published, a first record for the child, a new state. */
    private void split(Region region) {
        if (region.high - region.low < 4) {
            return;
        }
        TestStores store = stores[region.store];
        int at = region.low + 1 + random.nextInt(region.high - region.low - 1);
        boolean right = random.nextBoolean();
        long version = region.shape.getVersion() + 1;
        Region child =
                new Region(
                        shape(nextRegion++, right ? at : region.low, right ? region.high : at, 1),
                        right ? at : region.low,
                        right ? region.high : at,
                        region.store);
        PublishRequest request = new PublishRequest(region.term, ref(region.record));
        TabletRecord draft = store.tablets.publisher().draft(region.tablet(), request);
        TabletRecord first = ChildRecords.clip(draft, child.shape, 1);
        child.record = new PreparedRecord(store.tablets.publisher().store(first), first);
        region.low = right ? region.low : at;
        region.high = right ? at : region.high;
        region.shape = shape(region.shape.getRegionId(), region.low, region.high, version);
        append(region, EntryKind.SPLIT, ByteString.EMPTY, RegionState.fresh(region.shape));
        catchUp(region);
        regions.add(child);
        open(child);
    }

    /** As the driver does: a record of both, the source's last writes in the entry itself. */
    private void merge(Region target) {
        Region source = neighbour(target);
        if (source == null) {
            return;
        }
        TestStores store = stores[target.store];
        Publisher publisher = store.tablets.publisher();
        boolean below = source.high == target.low;
        ByteString border = below ? target.shape.getStartKey() : source.shape.getStartKey();
        TabletRecord mine =
                publisher.draft(
                        target.tablet(), new PublishRequest(target.term, ref(target.record)));
        TabletRecord theirs =
                publisher.draft(
                        source.tablet(), new PublishRequest(source.term, ref(source.record)));
        RegionShape merged = MergeRecords.merged(target.shape, source.shape);
        TabletRecord record =
                MergeRecords.join(
                        publisher.cut(mine, border, !below, mine),
                        publisher.cut(theirs, border, below, mine),
                        merged);
        PreparedRecord prepared = new PreparedRecord(publisher.store(record), record);
        write(target, random.nextInt(3));
        int from = source.log.size();
        write(source, random.nextInt(4));
        WriteBatchBuilder late = new WriteBatchBuilder();
        for (Step step : source.log.subList(from, source.log.size())) {
            if (step.entry().getKind() == EntryKind.WRITE) {
                WriteBatchReader.read(step.entry().getData(), copier(late));
            }
        }
        ByteString writes = late.isEmpty() ? ByteString.EMPTY : late.build();
        source.tablet().close();
        target.tablet().close();
        regions.remove(source);
        target.low = Math.min(target.low, source.low);
        target.high = Math.max(target.high, source.high);
        target.shape = merged;
        append(target, EntryKind.WRITE, writes, RegionState.fresh(merged));
        target.record = prepared;
        open(target);
        checkAll(target);
    }

    private static WriteBatchReader.Handler copier(WriteBatchBuilder to) {
        return new WriteBatchReader.Handler() {
            @Override
            public void put(Cf cf, byte[] key, byte[] value) {
                to.put(cf, key, value);
            }

            @Override
            public void delete(Cf cf, byte[] key) {
                to.delete(cf, key);
            }

            @Override
            public void deleteRange(Cf cf, byte[] from, byte[] end) {
                to.deleteRange(cf, from, end);
            }
        };
    }

    /** A neighbour on the same store, or null. */
    private @Nullable Region neighbour(Region of) {
        for (Region region : regions) {
            if (region.store == of.store && (region.high == of.low || region.low == of.high)) {
                return region;
            }
        }
        return null;
    }

    private static @Nullable ObjectRef ref(@Nullable PreparedRecord record) {
        return record == null ? null : record.ref();
    }

    private void outage(Region region) {
        objects.down = true;
        try {
            write(region, 5);
            publish(region);
        } catch (ObjectStoreException | CompletionException e) {
            // What is evicted cannot be read, what is here can.
            assertThat(e).hasMessageContaining("down");
        } finally {
            objects.down = false;
        }
    }

    /** The process ends without a word; its disk may be gone. */
    private void restart(int store) throws IOException {
        letGo(view -> view.store() == store);
        for (Region region : regions) {
            if (region.store == store) {
                region.tablet().close();
            }
        }
        Path disk = stores[store].folder;
        stores[store].close();
        if (random.nextBoolean()) {
            TestStores.wipe(disk);
            disk = folder.resolve("disk" + store + "-" + ++openings);
        }
        start(store, disk);
        for (Region region : regions) {
            if (region.store == store) {
                region.term++;
                open(region);
            }
        }
    }

    private void hold(Region region) {
        views.add(
                new HeldView(
                        region.store,
                        region.tablet().snapshot(region.shape),
                        slices(region),
                        random.nextLong()));
    }

    private void letGo(Predicate<HeldView> which) {
        for (HeldView view : List.copyOf(views)) {
            if (which.test(view)) {
                views.remove(view);
                view.verify(30);
                view.close();
            }
        }
    }

    private Map<Cf, TreeMap<byte[], byte[]>> slices(Region region) {
        byte[] from = TabletModel.key(region.low);
        byte[] to = TabletModel.key(region.high);
        Map<Cf, TreeMap<byte[], byte[]>> slices = new EnumMap<>(Cf.class);
        truth.forEach((cf, rows) -> slices.put(cf, new TreeMap<>(rows.subMap(from, to))));
        return slices;
    }

    private void check(Region region) {
        try (HeldView view =
                new HeldView(
                        region.store,
                        region.tablet().snapshot(region.shape),
                        slices(region),
                        random.nextLong())) {
            view.verify(40);
        }
    }

    private void checkAll(Region region) {
        try (HeldView view =
                new HeldView(
                        region.store,
                        region.tablet().snapshot(region.shape),
                        slices(region),
                        random.nextLong())) {
            view.verifyAll();
        }
    }

    @Override
    public void close() {
        views.forEach(HeldView::close);
        for (Region region : regions) {
            if (region.open != null) {
                region.open.close();
            }
        }
        for (TestStores store : stores) {
            store.close();
        }
    }
}
