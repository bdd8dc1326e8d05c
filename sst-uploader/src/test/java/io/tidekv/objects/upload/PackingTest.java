package io.tidekv.objects.upload;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.Uploader.Placed;
import io.tidekv.proto.manifest.TabletRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many small uploads, few objects. */
class PackingTest implements Scheduler {
    @TempDir Path temp;

    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore base = new MemoryObjectStore();
    private final Faults faults = new Faults(Randomness.seeded(1));
    private final FaultyObjectStore store = new FaultyObjectStore(base, faults, time -> {});
    private final List<Runnable> due = new ArrayList<>();
    private final Random random = new Random(7);
    private SstCache cache;
    private Uploader uploader;

    @BeforeEach
    void open() {
        StoreContext context =
                new StoreContext(
                        clock,
                        Randomness.seeded(2),
                        time -> clock.advanceMillis(time.toMillis() + 1));
        cache = SstCache.open(store, CacheOptions.of(temp.resolve("cache"), 1 << 20), context);
        PackOptions packs = new PackOptions(5, 6, 10_000, 100_000, Duration.ofSeconds(1), 4);
        UploadOptions options = new UploadOptions(2, 100, Duration.ofSeconds(30));
        uploader = Uploader.packing(store, cache, options, packs, this, context);
    }

    @AfterEach
    void close() {
        uploader.close();
        cache.close();
    }

    @Override
    public Cancellable after(Duration delay, Runnable task) {
        due.add(task);
        return () -> due.remove(task);
    }

    @Override
    public Cancellable every(Duration period, Runnable task) {
        throw new UnsupportedOperationException();
    }

    private void elapse() {
        List<Runnable> now = List.copyOf(due);
        due.clear();
        now.forEach(Runnable::run);
    }

    private Path file(int number, int length) throws IOException {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return Files.write(temp.resolve(number + ".sst"), bytes);
    }

    @Test
    void filesAndRecordsOfManyRegionsShareOneObject() throws Exception {
        List<Path> files = new ArrayList<>();
        List<Placed> tables = new ArrayList<>();
        List<Placed> records = new ArrayList<>();
        TabletRecord record = TestRecords.record(9).build();
        for (int region = 1; region <= 5; region++) {
            files.add(file(region, 1000 * region));
            tables.add(uploader.placeSst(region, 3, files.get(region - 1)));
            records.add(uploader.placeRecord(record));
        }
        assertThat(base.list("", "", 10)).isEmpty();
        assertThat(tables.get(0).stored()).isNotDone();
        elapse();
        for (int i = 0; i < 5; i++) {
            tables.get(i).stored().get();
            records.get(i).stored().get();
            assertThat(cache.ifPresent(tables.get(i).ref())).hasSameBinaryContentAs(files.get(i));
            byte[] frame = RecordCodec.read(base, records.get(i).ref());
            assertThat(RecordCodec.decode("it", frame)).isEqualTo(record);
        }
        List<ObjectInfo> objects = base.list("", "", 10);
        assertThat(objects).hasSize(1);
        String name = objects.get(0).name();
        assertThat(name).matches("pack/5-6/[0-9a-f-]{36}");
        var members = PackCodec.members(base, name, objects.get(0).length());
        assertThat(members).hasSize(10);
        assertThat(members.get(2).region()).isEqualTo(2);
        assertThat(members.get(2).offset()).isEqualTo(tables.get(1).ref().getOffset());
    }

    /** Fetched again later, a member is read alone and checked. */
    @Test
    void membersAreFetchedAlone() throws Exception {
        Path file = file(1, 5000);
        uploader.placeSst(1, 3, file(2, 3000));
        Placed placed = uploader.placeSst(1, 3, file);
        elapse();
        placed.stored().get();
        Files.delete(cache.ifPresent(placed.ref()));
        assertThat(cache.fetch(placed.ref())).hasSameBinaryContentAs(file);
    }

    @Test
    void fullPacksDoNotWaitAndLargeFilesAreNotTaken() throws Exception {
        Path file = file(1, 9_000);
        List<Placed> placed = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            placed.add(uploader.placeSst(i, 3, file));
        }
        placed.get(11).stored().get();
        assertThat(placed.get(29).stored()).isNotDone();
        elapse();
        for (Placed each : placed) {
            each.stored().get();
        }
        assertThat(base.list("", "", 10)).hasSize(3);
        assertThat(uploader.placeSst(1, 3, file(2, 10_001))).isNull();
    }

    @Test
    void failedPackFailsAllItsMembers() throws Exception {
        faults.setOutage(true);
        Placed one = uploader.placeSst(1, 3, file(1, 100));
        Placed other = uploader.placeRecord(TestRecords.record(9).build());
        elapse();
        assertThat(one.stored()).failsWithin(Duration.ofSeconds(10));
        assertThat(other.stored()).failsWithin(Duration.ofSeconds(10));
        faults.setOutage(false);
        Placed again = uploader.placeSst(1, 3, file(1, 100));
        elapse();
        again.stored().get();
    }

    @Test
    void fewPublicationsAreStoredAtOnce() {
        for (int i = 0; i < 3; i++) {
            assertThat(uploader.isSharing()).isFalse();
        }
        assertThat(uploader.isSharing()).isTrue();
        clock.advanceMillis(1100);
        assertThat(uploader.isSharing()).isTrue();
        clock.advanceMillis(5000);
        assertThat(uploader.isSharing()).isFalse();
    }
}
