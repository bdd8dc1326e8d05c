package io.tidekv.compute.tablet.rocks;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.compute.tablet.TabletModel;
import io.tidekv.compute.tablet.TabletSettings;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.RegionShape;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * What random writes to one tablet cost the object store; run by hand: main(folder, megabytes
 * written, megabytes of distinct keys, megabytes between publications).
 */
final class AmplificationBench {
    private static final RegionShape WHOLE = TabletModel.shape(7, "", "");
    private static final int VALUE = 256;
    private static final int ROWS = 16;
    private static final int ROW_BYTES = 27 + VALUE;

    private AmplificationBench() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        long bytes = Long.parseLong(args[1]) << 20;
        int keys = (int) ((Long.parseLong(args[2]) << 20) / ROW_BYTES);
        long publishBytes = Long.parseLong(args[3]) << 20;
        SwitchableStore objects =
                new SwitchableStore(ObjectStores.open("file:" + folder.resolve("objects")));
        TabletSettings settings =
                TabletSettings.of(TestStores.CLUSTER, 1, folder.resolve("disk").resolve("tablets"));
        Random random = new Random(1);
        try (TestStores stores = new TestStores(objects, folder.resolve("disk"), settings)) {
            RocksTablet tablet = (RocksTablet) stores.tablets.open(null, WHOLE);
            long begin = System.nanoTime();
            for (long written = 0; written < bytes; written += ROWS * ROW_BYTES) {
                apply(tablet, random, keys);
                if (tablet.unpublishedBytes() >= publishBytes) {
                    stores.publish(tablet, 1);
                }
            }
            while (tablet.compacting().get()) {
                LockSupport.parkNanos(1_000_000);
            }
            PreparedRecord record = stores.publish(tablet, 1);
            report(bytes, (long) keys * ROW_BYTES, objects, record, System.nanoTime() - begin);
            tablet.close();
        }
    }

    private static void apply(RocksTablet tablet, Random random, int keys) {
        WriteBatchBuilder batch = new WriteBatchBuilder(ROWS * (ROW_BYTES + 8));
        for (int i = 0; i < ROWS; i++) {
            byte[] value = new byte[VALUE];
            random.nextBytes(value);
            String key = String.format(Locale.ROOT, "user-table-key-%012d", random.nextInt(keys));
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

    private static void report(
            long written,
            long distinct,
            SwitchableStore objects,
            PreparedRecord record,
            long nanos) {
        long live =
                RecordFiles.byNumber(record.record()).values().stream()
                        .mapToLong(SstFile::getSize)
                        .sum();
        var system =
                (com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean();
        System.out.printf(
                Locale.ROOT,
                "written %d MB of %d MB distinct in %.1f s, %.1f s of CPU: %d PUTs (%.1f per GB),"
                        + " %d MB uploaded (%.2f x), %d MB live (%.2f x)%n",
                written >> 20,
                distinct >> 20,
                nanos / 1e9,
                system.getProcessCpuTime() / 1e9,
                objects.puts.get(),
                objects.puts.get() * (double) (1 << 30) / written,
                objects.putBytes.get() >> 20,
                (double) objects.putBytes.get() / written,
                live >> 20,
                (double) live / distinct);
    }
}
