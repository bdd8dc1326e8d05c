package io.tidekv.objects.backup;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.objects.gc.Collector;
import io.tidekv.objects.gc.GcOptions;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BackupsTest {
    private static final String FIRST = "record/1/5-2-a";
    private static final String SECOND = "record/1/5-3-b";
    private static final long TS = (1_700_000_000_000L << 18) + 5;

    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore store = new MemoryObjectStore(clock);
    private final Backups backups = new Backups(store, Randomness.seeded(1));
    private String current = FIRST;
    private long slowMillis;

    private Cut cut() {
        return new Cut(100, Map.of(1L, new RegionRoots(1, 5, true, ref(), List.of(), Set.of())));
    }

    private CutSource.Cut take(Runnable begins) {
        begins.run();
        clock.advanceMillis(slowMillis);
        return new CutSource.Cut(TS, List.of(ref()));
    }

    private ObjectRef ref() {
        byte[] bytes = store.get(current, 10_000);
        return ObjectRef.newBuilder()
                .setKey(current)
                .setLength(bytes.length)
                .setCrc32C(Checksums.crc32c(bytes))
                .build();
    }

    private void publish() {
        for (int file = 10; file <= 13; file++) {
            store.putIfAbsent("sst/1/5-" + file + "-u.sst", new byte[4096]);
        }
        store.putIfAbsent(FIRST, RecordCodec.encode(TestRecords.record(1).build()));
    }

    private void publishAgain() {
        var record = TestRecords.record(1).setSequence(3);
        record.getColumnFamiliesBuilder(0).removeFiles(0).removeFiles(0);
        store.putIfAbsent(SECOND, RecordCodec.encode(record.build()));
        current = SECOND;
    }

    @Test
    void whatABackupHoldsIsCollectedWhenItIsDeleted() throws InterruptedException {
        publish();
        BackupSet made = backups.create("monday", 7, this::take);
        assertThat(made.regions()).hasSize(1);
        assertThat(made.bytes()).isEqualTo(4 * 4096);
        assertThat(made.atMillis()).isEqualTo(1_700_000_000_000L);
        assertThat(backups.list()).containsExactly(made);
        assertThat(backups.held(0)).containsExactly(FIRST);
        assertThat(backups.find("monday")).isEqualTo(made);
        assertThat(backups.find("tuesday")).isNull();
        publishAgain();
        Collector collector =
                new Collector(
                        store,
                        this::cut,
                        backups::held,
                        GcOptions.DEFAULT,
                        new StoreContext(clock, Randomness.seeded(2), pause -> {}));
        assertThat(collector.run(false).garbage()).isZero();
        assertThat(backups.delete("monday")).isTrue();
        assertThat(backups.delete("monday")).isFalse();
        collector.run(false);
        clock.advanceMillis(Duration.ofHours(2).toMillis());
        assertThat(collector.run(false).deleted()).isEqualTo(3);
        assertThat(store.head(FIRST)).isNull();
        assertThat(store.list("meta/", "", 10)).isEmpty();
    }

    @Test
    void oneThatTakesTooLongIsNone() {
        publish();
        slowMillis = Duration.ofMinutes(21).toMillis();
        assertThatThrownBy(() -> backups.create("slow", 7, this::take))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("took so long");
        assertThat(store.list("meta/", "", 10)).isEmpty();
    }

    @Test
    void nothingIsDeletedWhileOneIsBeingMade() throws InterruptedException {
        publish();
        publishAgain();
        Collector collector =
                new Collector(
                        store,
                        this::cut,
                        backups::held,
                        GcOptions.DEFAULT,
                        new StoreContext(clock, Randomness.seeded(2), pause -> {}));
        collector.run(false);
        clock.advanceMillis(Duration.ofHours(2).toMillis());
        backups.create(
                "a",
                7,
                begins -> {
                    CutSource.Cut taken = take(begins);
                    assertThatThrownBy(() -> collector.run(false))
                            .isInstanceOf(CollectionStopped.class)
                            .hasMessageContaining("is being made");
                    return taken;
                });
        assertThat(store.head(FIRST)).isNotNull();
        assertThat(collector.run(false).deleted()).isEqualTo(3);
    }

    @Test
    void aMakerThatDiedIsNotWaitedForForEver() {
        store.putIfAbsent("meta/backup-intent/x", new byte[0]);
        long stored = store.head("meta/backup-intent/x").modifiedMillis();
        assertThatThrownBy(() -> backups.held(stored + 3_000_000))
                .isInstanceOf(CollectionStopped.class);
        assertThat(backups.held(stored + 3_700_000)).isEmpty();
    }

    @Test
    void namesAreCheckedAndTakenOnce() {
        publish();
        assertThatThrownBy(() -> backups.create("a/b", 7, this::take))
                .isInstanceOf(IllegalArgumentException.class);
        backups.create("a", 7, this::take);
        assertThatThrownBy(() -> backups.create("a", 7, this::take))
                .hasMessageContaining("already");
    }

    @Test
    void oneWithoutAMomentIsStillRead() {
        publish();
        BackupSet made = backups.create("a", 7, this::take);
        BackupSet old = new BackupSet("b", 7, made.createdMillis(), 0, 0, made.regions());
        assertThat(new String(old.encode(), UTF_8)).startsWith("tidekv-backup 1\n");
        store.putIfAbsent("meta/backup/b", old.encode());
        assertThat(backups.find("b")).isEqualTo(old);
    }

    @Test
    void aRegionInAFlashbackIsNotBackedUp() {
        store.putIfAbsent(
                FIRST, RecordCodec.encode(TestRecords.record(1).setFlashbackStartTs(9).build()));
        assertThatThrownBy(() -> backups.create("a", 7, this::take))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("flashback");
        assertThat(store.list("meta/", "", 10)).isEmpty();
    }

    @Test
    void aDamagedBackupStopsTheCollector() {
        publish();
        backups.create("a", 7, this::take);
        byte[] bytes = store.get("meta/backup/a", 10_000);
        for (int at = 0; at < bytes.length; at++) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 1;
            store.damage("meta/backup/a", damaged);
            assertThatThrownBy(() -> backups.held(0)).isInstanceOf(CollectionStopped.class);
        }
    }
}
