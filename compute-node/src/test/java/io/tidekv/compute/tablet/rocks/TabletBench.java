package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.common.time.SystemClock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.SplitKeys;
import io.tidekv.compute.tablet.Tablet;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** Costs of a tablet's steps; run by hand: main(folder). */
final class TabletBench {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final Random RANDOM = new Random(1);

    private TabletBench() {}

    private static TabletSettings settings(Path folder, String scratch, int compactAtFiles) {
        TabletSettings usual = TabletSettings.of(TestStores.CLUSTER, 1, folder.resolve("tablets"));
        return new TabletSettings(
                usual.clusterId(),
                usual.apiMode(),
                usual.folder(),
                Path.of(scratch),
                usual.blockCacheBytes(),
                usual.memtablesBytes(),
                usual.memtableBytes(),
                usual.tableBytes(),
                usual.maxOpenFiles(),
                compactAtFiles,
                usual.backgroundBytesPerSecond(),
                usual.warmBytesPerSecond(),
                usual.flushDeadline(),
                usual.hydrateInBackground(),
                usual.granules());
    }

    private interface Step {
        void run() throws Exception;
    }

    private static void report(String what, int times, Step step) throws Exception {
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        long wall = System.nanoTime();
        for (int i = 0; i < times; i++) {
            step.run();
        }
        double cpuMicros =
                (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu) / 1e3 / times;
        double wallMicros = (System.nanoTime() - wall) / 1e3 / times;
        System.out.printf(
                Locale.ROOT,
                "%-52s %10.1f us wall %10.2f us cpu of the caller %10d bytes allocated%n",
                what,
                wallMicros,
                cpuMicros,
                (threads.getCurrentThreadAllocatedBytes() - allocated) / times);
    }

    private static byte[] key(int number) {
        return String.format(Locale.ROOT, "user-table-key-%012d", number)
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static Entry entry(Tablet tablet, int keys, int rows) {
        WriteBatchBuilder batch = new WriteBatchBuilder(300 * rows);
        for (int i = 0; i < rows; i++) {
            byte[] value = new byte[256];
            RANDOM.nextBytes(value);
            batch.put(Cf.DEFAULT, key(RANDOM.nextInt(keys)), value);
        }
        return Entry.newBuilder()
                .setIndex(tablet.applied().index() + 1)
                .setTerm(1)
                .setKind(EntryKind.WRITE)
                .setData(batch.build())
                .build();
    }

    private static List<Entry> entries(Tablet tablet, int keys, int rows, int count) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(
                    entry(tablet, keys, rows).toBuilder()
                            .setIndex(tablet.applied().index() + 1 + i)
                            .build());
        }
        return entries;
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        SwitchableStore objects = new SwitchableStore();
        PreparedRecord record;
        try (TestStores stores =
                new TestStores(
                        objects,
                        folder.resolve("a"),
                        settings(folder.resolve("a"), "/dev/shm", 1000))) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            for (int warm = 0; warm < 2; warm++) {
                applies(tablet);
            }
            publications(stores, tablet);
            for (int i = 0; i < 20; i++) {
                tablet.apply(entries(tablet, 400_000, 16, 1000));
                new Flusher(SystemClock.INSTANCE, Duration.ofSeconds(60)).flush(tablet);
            }
            record = stores.publish(tablet, 1);
            reads(tablet, "hydrated, 5 MB in memory");
            long begin = System.nanoTime();
            new Compactor(settings(folder, "/dev/shm", 2), command -> {}).compact(tablet);
            System.out.printf(
                    "compaction of %d MB: %d ms%n",
                    tablet.approximateBytes(new byte[0], new byte[0]) >> 20,
                    (System.nanoTime() - begin) / 1_000_000);
            record = stores.publish(tablet, 1);
            reads(tablet, "compacted");
            report("split key", 20, () -> SplitKeys.middle(tablet, WHOLE, 2));
            report(
                    "approximate bytes",
                    1000,
                    () -> tablet.approximateBytes(key(5000), key(300_000)));
            report("approximate keys", 1000, tablet::approximateKeys);
            tablet.close();
        }
        PreparedRecord last = record;
        System.out.println(
                last.record().getSerializedSize()
                        + " bytes of record, files: "
                        + last.record().getColumnFamilies(0).getFilesCount());
        for (String scratch : new String[] {"/dev/shm", "/nonexistent"}) {
            try (TestStores stores =
                    new TestStores(
                            objects,
                            folder.resolve("b"),
                            settings(folder.resolve("b"), scratch, 8))) {
                for (int i = 0; i < 3; i++) {
                    report(
                            "load, open and close, metadata in " + scratch,
                            30,
                            () ->
                                    stores.tablets
                                            .open(stores.tablets.load(7, last.ref()), WHOLE)
                                            .close());
                }
            }
        }
    }

    private static void applies(RocksTablet tablet) throws Exception {
        for (int[] shape : new int[][] {{1, 1}, {16, 1}, {64, 1}, {1, 64}, {16, 16}}) {
            List<List<Entry>> prepared = new ArrayList<>();
            int rounds = 20_000 / (shape[0] * shape[1]);
            long index = tablet.applied().index();
            for (int i = 0; i < rounds; i++) {
                List<Entry> entries = new ArrayList<>();
                for (int j = 0; j < shape[1]; j++) {
                    index++;
                    entries.add(
                            entry(tablet, 400_000, shape[0]).toBuilder().setIndex(index).build());
                }
                prepared.add(entries);
            }
            int[] next = {0};
            report(
                    "apply " + shape[1] + " entries of " + shape[0] + " rows",
                    rounds,
                    () -> applyAll(tablet, prepared.get(next[0]++)));
        }
    }

    private static void applyAll(RocksTablet tablet, List<Entry> entries) {
        int from = (int) (entries.get(0).getIndex());
        while (tablet.applied().index() < from + entries.size() - 1) {
            try {
                tablet.apply(
                        entries.subList(
                                (int) (tablet.applied().index() + 1 - from), entries.size()));
            } catch (KvException busy) {
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    private static void publications(TestStores stores, RocksTablet tablet) throws Exception {
        stores.publish(tablet, 1);
        for (int rows : new int[] {1, 1000, 4000, 16000}) {
            for (int i = 0; i < 3; i++) {
                applyAll(tablet, entries(tablet, 400_000, 1, rows));
                String size = rows * 285 / 1024 + " KB";
                report(
                        "flush of " + size,
                        1,
                        () ->
                                new Flusher(SystemClock.INSTANCE, Duration.ofSeconds(10))
                                        .flush(tablet));
                report("publish after it", 1, () -> stores.publish(tablet, 1));
            }
        }
    }

    private static void reads(RocksTablet tablet, String what) throws Exception {
        byte[][] hot = new byte[10_000][];
        for (int i = 0; i < hot.length; i++) {
            hot[i] = key(RANDOM.nextInt(400_000));
        }
        int[] next = {0};
        try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
            for (int i = 0; i < 3; i++) {
                report(
                        "get, " + what,
                        100_000,
                        () -> snapshot.get(Cf.DEFAULT, hot[next[0]++ % hot.length]));
            }
            report(
                    "seek and 10 rows",
                    20_000,
                    () -> {
                        try (KvIterator rows = snapshot.iterator(Cf.DEFAULT, null, null)) {
                            rows.seek(hot[next[0]++ % hot.length]);
                            for (int i = 0; i < 10 && rows.isValid(); i++) {
                                Arrays.hashCode(rows.key());
                                rows.value();
                                rows.next();
                            }
                        }
                    });
        }
        report(
                "snapshot, get, close",
                100_000,
                () -> {
                    try (KvSnapshot snapshot = tablet.snapshot(WHOLE)) {
                        snapshot.get(Cf.DEFAULT, hot[next[0]++ % hot.length]);
                    }
                });
    }
}
