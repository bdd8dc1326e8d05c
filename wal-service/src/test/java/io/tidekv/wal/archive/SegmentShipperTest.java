package io.tidekv.wal.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.SealedSegment;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageDamageException;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A node ships its segments whatever happens between two steps, and deletes none before. */
class SegmentShipperTest {
    private static final long REGION = 5;

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore store = new MemoryObjectStore(clock);

    private ShippingRig rig(ObjectStore to) throws IOException {
        ShippingRig rig = new ShippingRig(1, to, clock, 1500);
        rig.create(REGION, List.of(1L, 2L, 3L));
        rig.open(REGION, 1);
        rig.commit();
        return rig;
    }

    /** Appends entries up to {@code to}, one a batch, all committed but the last. */
    private static void fill(ShippingRig rig, long from, long to) throws IOException {
        for (long index = from; index <= to; index++) {
            List<Entry> one = List.of(ShippingRig.entry(index, 1, new byte[300]));
            rig.append(
                    REGION,
                    1,
                    index - 1,
                    index == 1 ? 0 : 1,
                    one,
                    index - 1,
                    Snapshot.getDefaultInstance(),
                    false);
            rig.commit();
        }
    }

    private static void trim(ShippingRig rig, long index, long last) throws IOException {
        Snapshot snapshot = Snapshot.newBuilder().setIndex(index).setTerm(1).build();
        rig.append(REGION, 1, last, 1, List.of(), last, snapshot, false);
        rig.commit();
        rig.commit();
    }

    private List<String> names() {
        return ArchiveNames.ofCluster(store, ShippingRig.CLUSTER)
                .list(ArchiveNames.PREFIX, "", 1000)
                .stream()
                .map(ObjectStore.ObjectInfo::name)
                .toList();
    }

    /** The same store, until call number {@code at}, before or after which the process dies. */
    private ObjectStore dyingAt(int at, boolean after, int[] calls) {
        return proxy(
                (ObjectStore) store,
                () -> {
                    if (!after && calls[0] + 1 == at) {
                        throw new Crash();
                    }
                },
                () -> {
                    calls[0]++;
                    if (after && calls[0] == at) {
                        throw new Crash();
                    }
                });
    }

    private static ObjectStore proxy(ObjectStore to, Runnable before, Runnable after) {
        return (ObjectStore)
                Proxy.newProxyInstance(
                        SegmentShipperTest.class.getClassLoader(),
                        new Class<?>[] {ObjectStore.class},
                        (self, method, args) -> {
                            if (method.getName().equals("under")) {
                                return proxy(to.under((String) args[0]), before, after);
                            }
                            before.run();
                            Object result;
                            try {
                                result = method.invoke(to, args);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                            after.run();
                            return result;
                        });
    }

    private void deleteAll() {
        store.list("", "", 1000).forEach(object -> store.delete(object.name()));
    }

    @Test
    void aProcessMayDieBeforeAndAfterEveryCall() throws IOException {
        ShippingRig whole = rig(store);
        fill(whole, 1, 35);
        whole.shipAll();
        List<String> expected = names();
        assertThat(expected).as("several parts of several segments").hasSizeGreaterThan(5);
        for (boolean after : new boolean[] {false, true}) {
            boolean died = true;
            for (int at = 1; died; at++) {
                deleteAll();
                ShippingRig rig = rig(store);
                fill(rig, 1, 35);
                rig.segments.seal();
                rig.segments.maintain(0);
                rig.restartShipper(dyingAt(at, after, new int[1]));
                died = false;
                try {
                    rig.ship(Integer.MAX_VALUE);
                } catch (Crash e) {
                    died = true;
                }
                rig.start(rig.files.crashed(MemoryWalFiles.Crash.TORN, Randomness.seeded(at)));
                rig.ship(Integer.MAX_VALUE);
                assertThat(names()).as("died at %s", at).isEqualTo(expected);
                rig.append(REGION, 1, 35, 1, List.of(), 35, Snapshot.getDefaultInstance(), false);
                fill(rig, 36, 36);
                rig.shipAll();
                RegionArchive archive = ShippingRig.reader(store).region(REGION);
                List<Long> indexes = new ArrayList<>();
                archive.read(1, 35, each -> indexes.add(each.entry().getIndex()));
                assertThat(indexes).as("died at %s", at).hasSize(35);
            }
        }
    }

    @Test
    void whatIsShippedIsNotShippedAgain() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 60);
        assertThat(rig.ship(Integer.MAX_VALUE)).isGreaterThanOrEqualTo(2);
        List<String> before = names();
        rig.restartShipper(store);
        assertThat(rig.ship(Integer.MAX_VALUE)).isZero();
        assertThat(names()).isEqualTo(before);
    }

    @Test
    void aSegmentDiesOnlyAfterItHasBeenShippedAndTheDiskFillsUntilThen() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 100);
        trim(rig, 99, 100);
        long held = rig.segments.stats().segments();
        assertThat(held).isGreaterThanOrEqualTo(4);
        rig.files.setCapacity(rig.segments.stats().segmentBytes() + 3000);
        rig.segments.maintain(0);
        var refused =
                rig.append(
                        REGION,
                        1,
                        100,
                        1,
                        List.of(ShippingRig.entry(101, 1, new byte[4000])),
                        100,
                        Snapshot.getDefaultInstance(),
                        false);
        assertThat(refused.getError().getCode()).isEqualTo(WalErrorCode.DISK_FULL);
        assertThat(rig.segments.sealed().get(0).number()).isEqualTo(1);
        rig.ship(Integer.MAX_VALUE);
        rig.commit();
        rig.commit();
        assertThat(rig.segments.stats().segments()).isLessThanOrEqualTo(2);
        fill(rig, 101, 110);
        rig.shipAll();
        assertThat(ShippingRig.reader(store).region(REGION).firstMissing(1, 109)).isZero();
    }

    @Test
    void anEmptySegmentIsNotClosed() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 2);
        rig.shipAll();
        long newest = rig.segments.newestSegment();
        rig.segments.mark();
        rig.shipAll();
        assertThat(rig.segments.newestSegment()).isEqualTo(newest);
        fill(rig, 3, 3);
        rig.shipAll();
        assertThat(rig.segments.newestSegment()).isEqualTo(newest + 1);
    }

    @Test
    void smallSegmentsDoNotMakeOwnersPublish() throws IOException {
        ShippingRig rig = rig(store);
        for (long index = 1; index <= 30; index++) {
            fill(rig, index, index);
            rig.shipAll();
        }
        assertThat(rig.segments.stats().segments()).isGreaterThan(20);
        assertThat(rig.segments.holding(4)).isEmpty();
        fill(rig, 31, 100);
        assertThat(rig.segments.holding(4)).containsExactly(REGION);
    }

    @Test
    void manySmallSegmentsAreNotKeptForAFewEntries() throws IOException {
        StorageOptions large = new StorageOptions(1 << 20, 0);
        try (SegmentStore small = SegmentStore.open(new MemoryWalFiles(), new UUID(1, 1), large)) {
            small.putMeta(REGION, VoterMeta.getDefaultInstance());
            small.append(REGION, List.of(ShippingRig.entry(1, 1, new byte[10])));
            small.commit();
            for (int i = 0; i < 200; i++) {
                small.putMeta(6, VoterMeta.newBuilder().setTerm(i).build());
                small.commit();
                small.seal();
                small.maintain(1 << 20);
            }
            assertThat(small.stats().segments()).isLessThan(80);
            assertThat(small.read(REGION, 1, 1, 100)).hasSize(1);
        }
    }

    @Test
    void whatIsOldIsDeletedByTheStoresClock() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 5);
        rig.shipAll();
        clock.advanceMillis(3_600_000);
        fill(rig, 6, 9);
        rig.shipAll();
        int before = names().size();
        assertThat(rig.prune(3_600_000)).as("not older than that").isZero();
        assertThat(rig.prune(3_599_999)).isPositive();
        assertThat(names()).hasSizeLessThan(before);
        RegionArchive archive = ShippingRig.reader(store).region(REGION);
        assertThat(archive.firstIndex()).isEqualTo(6);
        assertThat(archive.firstMissing(6, 8)).isZero();
        // Time alone deletes nothing.
        clock.advanceMillis(36_000_000);
        assertThat(rig.prune(3_599_999)).isZero();
    }

    @Test
    void whatBecomesCommittedLaterIsToldWithALaterSegment() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 3);
        rig.shipAll();
        assertThat(ShippingRig.reader(store).region(REGION).lastIndex()).isEqualTo(2);
        // The region is idle from here on, but for the news that its last entry is committed.
        rig.append(REGION, 1, 3, 1, List.of(), 3, Snapshot.getDefaultInstance(), false);
        rig.create(6, List.of(1L, 2L, 3L));
        rig.commit();
        rig.shipAll();
        RegionArchive archive = ShippingRig.reader(store).region(REGION);
        assertThat(archive.lastIndex()).isEqualTo(3);
        assertThat(archive.firstMissing(1, 3)).isZero();
    }

    @Test
    void aDamagedObjectUnderTheSameNameIsStoredAnew() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 30);
        rig.shipAll();
        List<String> names = names();
        String first = ShippingRig.CLUSTER + "/" + names.get(0);
        store.delete(ShippingRig.CLUSTER + "/" + names.get(1));
        rig.restartShipper(store);
        store.damage(first, new byte[100]);
        // The listing names it, so it is believed; what is behind it is stored again.
        rig.ship(Integer.MAX_VALUE);
        assertThat(names()).isEqualTo(names);
        assertThat(ShippingRig.reader(store).problems()).hasSize(1);
    }

    @Test
    void aDamagedSegmentIsNotShipped() throws IOException {
        ShippingRig rig = rig(store);
        fill(rig, 1, 40);
        SealedSegment first = rig.segments.sealed().get(0);
        rig.files.rot("0000000000000001.wal", first.length() / 2);
        assertThatThrownBy(() -> rig.ship(1))
                .isInstanceOf(StorageDamageException.class)
                .hasMessageContaining("0000000000000001.wal");
        assertThat(names()).allMatch(name -> name.contains("/0000000000000001-"));
        assertThat(ShippingRig.reader(store).parts().values())
                .allMatch(parts -> parts.get(parts.size() - 1).to() < first.length());
    }
}
