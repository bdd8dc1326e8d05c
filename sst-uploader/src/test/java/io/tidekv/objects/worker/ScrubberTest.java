package io.tidekv.objects.worker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.TestPacks;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ScrubberTest {
    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore store = new MemoryObjectStore();
    private final Faults faults = new Faults(Randomness.seeded(1));
    private final ObjectStore faulty = new FaultyObjectStore(store, faults, Sleeper.real());
    private final StoreContext context =
            new StoreContext(
                    clock, Randomness.seeded(1), time -> clock.advanceMillis(time.toMillis()));

    @BeforeEach
    void fill() {
        for (long region = 1; region <= 3; region++) {
            put(7, region, 1);
            put(7, region, 2);
        }
    }

    /** A record and its four objects, which regions share. */
    private void put(long cluster, long region, int sequence) {
        TabletRecord.Builder record = TestRecords.record(region).setClusterId(cluster);
        for (SstFile.Builder file : record.getColumnFamiliesBuilder(0).getFilesBuilderList()) {
            byte[] content = content(file.getObject().getKey());
            file.getObjectBuilder().setCrc32C(Checksums.crc32c(content));
            store.putIfAbsent(cluster + "/" + file.getObject().getKey(), content);
        }
        store.putIfAbsent(name(cluster, region, sequence), RecordCodec.encode(record.build()));
    }

    private static String name(long cluster, long region, int sequence) {
        return cluster + "/record/" + region + "/5-" + sequence + "-u";
    }

    private static byte[] content(String key) {
        return Arrays.copyOf(key.getBytes(UTF_8), 4096);
    }

    private ScrubReport scrub(long cluster, long bytesPerSecond) throws InterruptedException {
        return new Scrubber(faulty, cluster, bytesPerSecond, context).run();
    }

    @Test
    void allIsWell() throws InterruptedException {
        ScrubReport report = scrub(7, 1 << 20);
        assertThat(report.damaged()).isEmpty();
        assertThat(report.stoppedBy()).isEmpty();
        assertThat(report.regions()).isEqualTo(3);
        assertThat(report.records()).isEqualTo(6);
        assertThat(report.objects()).isEqualTo(12);
        assertThat(report.readBytes()).as("shared objects are read once").isEqualTo(4 * 4096);
    }

    @Test
    void readsAtItsRate() throws InterruptedException {
        ScrubReport report = scrub(7, 4096);
        assertThat(report.finishedMillis() - report.startedMillis()).isEqualTo(4000);
        assertThat(scrub(7, 0).readBytes()).isZero();
    }

    @Test
    void damageIsFoundWhereItIs() throws InterruptedException {
        store.damage(name(7, 2, 1), new byte[] {1, 2, 3});
        store.putIfAbsent("7/record/3/garbage", new byte[100]);
        store.delete("7/sst/1/5-10-u.sst");
        store.damage("7/sst/1/5-11-u.sst", new byte[4095]);
        byte[] flipped = content("sst/1/5-12-u.sst");
        flipped[9] ^= 1;
        store.damage("7/sst/1/5-12-u.sst", flipped);
        ScrubReport report = scrub(7, 1 << 20);
        assertThat(report.damaged()).hasSize(3);
        assertThat(report.damagedRecords()).isEqualTo(2);
        RegionFindings second = report.damaged().get(1);
        assertThat(second.regionId()).isEqualTo(2);
        assertThat(second.records()).isEqualTo(2);
        assertThat(second.damagedRecords()).isEqualTo(1);
        assertThat(second.missingObjects()).isEqualTo(1);
        assertThat(second.damagedObjects()).isEqualTo(2);
        assertThat(second.problems())
                .anyMatch(p -> p.contains("record/2/5-1-u"))
                .anyMatch(p -> p.contains("5-10-u.sst is missing"))
                .anyMatch(p -> p.contains("4095 bytes"))
                .anyMatch(p -> p.contains("CRC32C"));
    }

    /** A record in a pack, beside the one file that it names. */
    private void pack(String name, long region, int sequence) {
        TestPacks pack = new TestPacks("pack/1-1/" + name);
        byte[] file = content(name);
        TabletRecord.Builder record =
                TestRecords.record(region).setClusterId(7).setSequence(sequence);
        record.getColumnFamiliesBuilder(0)
                .clearFiles()
                .addFiles(
                        TestRecords.file(0, 10, "b", "m")
                                .setObject(pack.add(PackCodec.Kind.TABLE, region, 5, file)));
        pack.add(PackCodec.Kind.RECORD, region, 5, RecordCodec.encode(record.build()));
        store.putIfAbsent("7/" + pack.name(), pack.sealed());
    }

    @Test
    void recordsAndFilesInPacksAreChecked() throws InterruptedException {
        pack("a", 2, 9);
        pack("b", 70, 1);
        ScrubReport report = scrub(7, 1 << 20);
        assertThat(report.damaged()).isEmpty();
        assertThat(report.records()).isEqualTo(8);
        assertThat(report.regions()).isEqualTo(4);
        assertThat(report.objects()).isEqualTo(14);

        String name = "7/pack/1-1/b";
        byte[] flipped = store.get(name, 1 << 20);
        flipped[100] ^= 1;
        store.damage(name, flipped);
        assertThat(scrub(7, 1 << 20).damaged())
                .singleElement()
                .matches(f -> f.regionId() == 70 && f.damagedObjects() == 1);
        store.damage(name, new byte[50]);
        assertThat(scrub(7, 1 << 20).damaged())
                .as("nobody knows whose it was")
                .singleElement()
                .matches(f -> f.regionId() == 0 && f.damagedRecords() == 1);
    }

    /** Packs stay while one member is needed; what dead records in them name is gone. */
    @Test
    void whatOnlyReplacedRecordsInPacksNameMayBeGone() throws InterruptedException {
        TestPacks pack = new TestPacks("pack/1-1/c");
        byte[] old = RecordCodec.encode(TestRecords.record(5).setClusterId(7).build());
        pack.add(PackCodec.Kind.RECORD, 5, 5, old);
        store.putIfAbsent("7/pack/1-1/c", pack.sealed());
        for (long region = 1; region <= 3; region++) {
            store.delete(name(7, region, 1));
            store.delete(name(7, region, 2));
        }
        store.delete("7/sst/1/5-10-u.sst");
        assertThat(scrub(7, 0).damaged())
                .as("the newest record is needed")
                .singleElement()
                .matches(f -> f.missingObjects() == 1);
        pack("d", 5, 3);
        assertThat(scrub(7, 0).damaged()).isEmpty();
    }

    @Test
    void anotherRegionsRecordIsDamage() throws InterruptedException {
        byte[] frame = RecordCodec.encode(TestRecords.record(8).setClusterId(7).build());
        store.putIfAbsent("7/record/4/5-1-u", frame);
        assertThat(scrub(7, 0).damaged()).singleElement().matches(f -> f.regionId() == 4);
    }

    @Test
    void findsAllClustersAmongForeignNames() throws InterruptedException {
        put(70, 1, 1);
        put(8, 1, 1);
        store.putIfAbsent("0/x", new byte[1]);
        store.putIfAbsent("abc/record/1/x", new byte[1]);
        store.putIfAbsent("zoo", new byte[1]);
        store.putIfAbsent("99999999999999999999999/x", new byte[1]);
        ScrubReport report = scrub(0, 0);
        assertThat(report.clusters()).isEqualTo(3);
        assertThat(report.regions()).isEqualTo(5);
        assertThat(report.damaged()).isEmpty();
    }

    @Test
    void anOutageEndsTheCheckWithoutBlamingAnybody() throws InterruptedException {
        faults.setOutage(true);
        ScrubReport report = scrub(7, 0);
        assertThat(report.stoppedBy()).contains("injected");
        assertThat(report.damaged()).isEmpty();
    }
}
