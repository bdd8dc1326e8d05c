package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.common.time.SystemClock;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.objects.upload.PackOptions;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * What writes to one tablet cost the object store; run by hand: main(folder, megabytes written,
 * megabytes of distinct keys, megabytes between publications). Keys are drawn at random, or go up
 * when there are as many as are written. What a record names no more is deleted at once.
 */
final class AmplificationBench {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int VALUE = 256;
    private static final int ROWS = 16;
    private static final int ROW_BYTES = 27 + VALUE;
    private static final long DISK_BYTES = 10L << 30;

    private final Random random = new Random(1);
    private final SwitchableStore objects;
    private final long bytes;
    private final int keys;
    private final boolean sequential;
    private Set<String> live = Set.of();
    private long liveMax;
    private int next;

    private AmplificationBench(Path folder, long bytes, long distinct) {
        objects = new SwitchableStore(ObjectStores.open("file:" + folder.resolve("objects")));
        this.bytes = bytes;
        keys = (int) (distinct / ROW_BYTES);
        sequential = distinct >= bytes;
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        new AmplificationBench(folder, megabytes(args[1]), megabytes(args[2]))
                .run(folder.resolve("disk"), megabytes(args[3]));
    }

    private static long megabytes(String argument) {
        return Long.parseLong(argument) << 20;
    }

    private void run(Path disk, long publishBytes) throws Exception {
        TabletSettings settings = TabletSettings.of(TestStores.CLUSTER, 1, disk.resolve("tablets"));
        PackOptions packs = PackOptions.of(1, 1);
        try (TestStores stores =
                new TestStores(objects, disk, settings, DISK_BYTES, SystemClock.INSTANCE, packs)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            long begin = System.nanoTime();
            for (long written = 0; written < bytes; written += ROWS * ROW_BYTES) {
                apply(tablet);
                if (tablet.unpublishedBytes() >= publishBytes) {
                    clean(stores.publishShared(tablet, 1));
                }
            }
            while (tablet.compacting().get()) {
                LockSupport.parkNanos(1_000_000);
            }
            clean(stores.publish(tablet, 1));
            report(tablet, System.nanoTime() - begin);
            tablet.close();
        }
    }

    private static Set<String> named(PreparedRecord record) {
        Set<String> named = new HashSet<>();
        named.add(record.ref().getKey());
        RecordFiles.byNumber(record.record())
                .values()
                .forEach(file -> named.add(file.getObject().getKey()));
        return named;
    }

    /** As a collector would, by and by. */
    private void clean(PreparedRecord record) {
        Set<String> now = named(record);
        live.stream().filter(object -> !now.contains(object)).forEach(objects::delete);
        live = now;
        liveMax = Math.max(liveMax, liveBytes(record));
    }

    private static long liveBytes(PreparedRecord record) {
        return RecordFiles.byNumber(record.record()).values().stream()
                .mapToLong(SstFile::getSize)
                .sum();
    }

    private void apply(RocksTablet tablet) {
        WriteBatchBuilder batch = new WriteBatchBuilder(ROWS * (ROW_BYTES + 8));
        for (int i = 0; i < ROWS; i++) {
            byte[] value = new byte[VALUE];
            random.nextBytes(value);
            int number = sequential ? next++ : random.nextInt(keys);
            String key = String.format(Locale.ROOT, "user-table-key-%012d", number);
            batch.put(Cf.DEFAULT, key.getBytes(StandardCharsets.US_ASCII), value);
        }
        Entry entry =
                Entry.newBuilder()
                        .setIndex(tablet.applied().index() + 1)
                        .setTerm(1)
                        .setKind(EntryKind.WRITE)
                        .setData(batch.build())
                        .build();
        while (tablet.applied().index() < entry.getIndex()) {
            try {
                tablet.apply(List.of(entry));
            } catch (KvException busy) {
                LockSupport.parkNanos(5_000_000);
            }
        }
    }

    private void report(RocksTablet tablet, long nanos) {
        PreparedRecord record = tablet.base();
        long distinct = (long) keys * ROW_BYTES;
        var system =
                (com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean();
        long uploaded = objects.putBytes.get();
        System.out.printf(
                Locale.ROOT,
                "written %d MB of %d MB distinct%s in %.1f s, %.1f s of CPU: %d PUTs (%.1f per GB"
                        + " written, %.1f per GB uploaded), %d MB uploaded (%.2f x), %d GETs,"
                        + " %d MB live in %d files (%.2f x; at most %.2f x)%n",
                bytes >> 20,
                distinct >> 20,
                sequential ? " in order" : "",
                nanos / 1e9,
                system.getProcessCpuTime() / 1e9,
                objects.puts.get(),
                objects.puts.get() * (double) (1 << 30) / bytes,
                objects.puts.get() * (double) (1 << 30) / uploaded,
                uploaded >> 20,
                (double) uploaded / bytes,
                objects.fetches.get(),
                liveBytes(record) >> 20,
                RecordFiles.byNumber(record.record()).size(),
                (double) liveBytes(record) / distinct,
                (double) liveMax / distinct);
    }
}
