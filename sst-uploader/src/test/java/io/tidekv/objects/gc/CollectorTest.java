package io.tidekv.objects.gc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.TestPacks;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.gc.ClusterRoots.Cut;
import io.tidekv.objects.gc.ClusterRoots.RegionRoots;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CollectorTest {
    private static final String OLD = "record/1/5-2-a";
    private static final String CURRENT = "record/1/5-3-b";

    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore store = new MemoryObjectStore(clock);
    private final Set<String> held = new HashSet<>();
    private RegionRoots region = roots(CURRENT);
    private final Collector collector =
            new Collector(
                    store,
                    () -> new Cut(100, Map.of(1L, region)),
                    now -> held,
                    GcOptions.DEFAULT,
                    new StoreContext(clock, Randomness.seeded(1), pause -> {}));

    private static RegionRoots roots(String record) {
        return roots(ObjectRef.newBuilder().setKey(record).build(), Set.of());
    }

    private static RegionRoots roots(ObjectRef record, Set<String> strays) {
        return new RegionRoots(1, 5, true, record, List.of(), strays);
    }

    /** An old record with files 10 to 13, and a current one without 10 and 11. */
    private void twoRecords() {
        for (int file = 10; file <= 13; file++) {
            store.putIfAbsent("sst/1/5-" + file + "-u.sst", new byte[4096]);
        }
        store.putIfAbsent(OLD, RecordCodec.encode(TestRecords.record(1).build()));
        var current = TestRecords.record(1).setSequence(3);
        current.getColumnFamiliesBuilder(0).removeFiles(0).removeFiles(0);
        store.putIfAbsent(CURRENT, RecordCodec.encode(current.build()));
    }

    private List<String> names() {
        return store.list("", "", 100).stream().map(ObjectInfo::name).toList();
    }

    @Test
    void whatIsDeadGoesAfterItsGracePeriod() throws InterruptedException {
        twoRecords();
        CollectReport dry = collector.run(true);
        assertThat(dry.garbage()).isEqualTo(3);
        assertThat(names()).hasSize(6);
        CollectReport first = collector.run(false);
        assertThat(first.listed()).isEqualTo(3);
        assertThat(first.deleted()).isZero();
        clock.advanceMillis(Duration.ofMinutes(59).toMillis());
        assertThat(collector.run(false).deleted()).isZero();
        clock.advanceMillis(Duration.ofMinutes(2).toMillis());
        CollectReport last = collector.run(false);
        assertThat(last.deleted()).isEqualTo(3);
        assertThat(names())
                .as("nor is a deletion list left")
                .containsExactly(CURRENT, "sst/1/5-12-u.sst", "sst/1/5-13-u.sst");
        assertThat(collector.run(false).garbage()).isZero();
    }

    @Test
    void anIdleClusterCostsNoWrite() throws InterruptedException {
        twoRecords();
        store.delete(OLD);
        store.delete("sst/1/5-10-u.sst");
        store.delete("sst/1/5-11-u.sst");
        List<String> before = names();
        assertThat(collector.run(false).listed()).isZero();
        assertThat(names()).isEqualTo(before);
    }

    @Test
    void whatABackupHoldsStays() throws InterruptedException {
        twoRecords();
        held.add(OLD);
        assertThat(collector.run(true).garbage()).isZero();
        held.add("record/1/4-9-gone");
        assertThatThrownBy(() -> collector.run(true))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("which a backup holds");
    }

    @Test
    void nothingOfARegionThatIsNotSettledIsTouched() throws InterruptedException {
        twoRecords();
        region = RegionRoots.unsettled(1, 6);
        CollectReport report = collector.run(true);
        assertThat(report.garbage()).isZero();
        assertThat(report.unsettledRegions()).isEqualTo(1);
    }

    @Test
    void uploadsOfTheOwnerStayAndThoseOfAFormerOneGo() throws InterruptedException {
        twoRecords();
        clock.advanceMillis(1000);
        store.putIfAbsent("sst/1/5-40-u.sst", new byte[10]);
        assertThat(collector.run(true).inFlight()).isEqualTo(1);
        store.putIfAbsent("sst/1/4-41-u.sst", new byte[10]);
        assertThat(collector.run(true).garbage()).isEqualTo(4);
    }

    @Test
    void aPdThatKnowsLessThanTheBucketIsNotBelieved() {
        twoRecords();
        store.putIfAbsent("sst/1/6-41-u.sst", new byte[10]);
        assertThatThrownBy(() -> collector.run(false))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("newer than anything PD knows of");
        store.delete("sst/1/6-41-u.sst");
        store.putIfAbsent("sst/101/1-1-u.sst", new byte[10]);
        assertThatThrownBy(() -> collector.run(false)).isInstanceOf(CollectionStopped.class);
    }

    @Test
    void aDamagedOrMissingRootEndsTheCycle() {
        twoRecords();
        store.damage(CURRENT, new byte[10]);
        assertThatThrownBy(() -> collector.run(false))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("nothing is collected");
        store.delete(CURRENT);
        assertThatThrownBy(() -> collector.run(false))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("is not in the object store");
    }

    /** Region 1 has a file and a record in a pack with a file of region 2; then leaves it. */
    @Test
    void aPackStaysWhileOneMemberIsNeeded() throws InterruptedException {
        TestPacks pack = new TestPacks("pack/3-4/p");
        ObjectRef file = pack.add(PackCodec.Kind.TABLE, 1, 5, new byte[4096]);
        ObjectRef others = pack.add(PackCodec.Kind.TABLE, 2, 1, new byte[100]);
        ObjectRef packed = pack.add(PackCodec.Kind.RECORD, 1, 5, frame(2, 1, file));
        store.putIfAbsent(pack.name(), pack.sealed());
        region = roots(packed, Set.of());
        assertThat(collector.run(true).garbage()).isZero();

        store.putIfAbsent("record/1/5-3-b", frame(3, 1));
        region = roots("record/1/5-3-b");
        CollectReport report = collector.run(true);
        assertThat(report.garbage()).as("nobody knows region 2").isZero();
        assertThat(report.packedBytes()).isGreaterThan(4096);

        clock.advanceMillis(Duration.ofHours(25).toMillis());
        store.putIfAbsent("sst/1/5-60-u.sst", new byte[10]);
        assertThat(collector.run(true).garbage()).as("the last member, too").isEqualTo(1);

        store.putIfAbsent("record/2/1-1-x", frame(1, 2, others));
        assertThat(collector.run(true).garbage()).as("needed by region 2").isZero();
    }

    @Test
    void aPublicationInAPackThatIsNotCommittedYetStays() throws InterruptedException {
        twoRecords();
        collector.run(false);
        TestPacks pack = new TestPacks("pack/3-4/p");
        ObjectRef file = pack.add(PackCodec.Kind.TABLE, 1, 5, new byte[4096]);
        pack.add(PackCodec.Kind.RECORD, 1, 5, frame(4, 1, file));
        store.putIfAbsent(pack.name(), pack.sealed());
        clock.advanceMillis(Duration.ofHours(30).toMillis());
        collector.run(false);
        assertThat(names()).contains(pack.name());
        region = new RegionRoots(1, 6, true, region.record(), List.of(), Set.of());
        collector.run(false);
        clock.advanceMillis(Duration.ofHours(2).toMillis());
        collector.run(false);
        assertThat(names()).as("its term has ended").doesNotContain(pack.name());
    }

    /** A worker's uploads may be named by a record that is later than any that there is. */
    @Test
    void uploadsOfACompactionElsewhereStayUntilItIsOver() throws InterruptedException {
        twoRecords();
        region = uploading(ObjectRef.newBuilder().setKey(CURRENT).build(), CURRENT);
        clock.advanceMillis(Duration.ofMinutes(5).toMillis());
        store.putIfAbsent("sst/1/5-40-u.sst", new byte[10]);
        clock.advanceMillis(Duration.ofMinutes(5).toMillis());
        var later = TestRecords.record(1).setSequence(4);
        later.getColumnFamiliesBuilder(0).removeFiles(0).removeFiles(0);
        store.putIfAbsent("record/1/5-4-d", RecordCodec.encode(later.build()));
        ObjectRef current = ObjectRef.newBuilder().setKey("record/1/5-4-d").build();
        clock.advanceMillis(Duration.ofHours(2).toMillis());

        region = uploading(current, CURRENT);
        int before = collector.run(true).garbage();
        region = uploading(current, "record/1/5-1-gone");
        assertThat(collector.run(true).garbage())
                .as("it is not known when the uploads began")
                .isEqualTo(before);
        region = roots("record/1/5-4-d");
        assertThat(collector.run(true).garbage()).as("given up").isEqualTo(before + 1);
    }

    private static RegionRoots uploading(ObjectRef record, String since) {
        return new RegionRoots(
                1,
                5,
                true,
                record,
                List.of(),
                Set.of(),
                ObjectRef.newBuilder().setKey(since).build());
    }

    @Test
    void whatATabletMayStillReadStays() throws InterruptedException {
        twoRecords();
        region = roots(ObjectRef.newBuilder().setKey(CURRENT).build(), Set.of("sst/1/5-10-u.sst"));
        assertThat(collector.run(true).garbage()).isEqualTo(2);
    }

    @Test
    void aPackWithADamagedListEndsTheCycle() {
        twoRecords();
        store.putIfAbsent("pack/3-4/p", new byte[200]);
        assertThatThrownBy(() -> collector.run(false))
                .isInstanceOf(CollectionStopped.class)
                .hasMessageContaining("pack/3-4/p");
    }

    /** A paused collector must not delete by what it knew before its pause. */
    @Test
    void whatWaitsIsDatedByTheBeginningOfACycle() throws InterruptedException {
        twoRecords();
        collector.run(false);
        Collector paused =
                new Collector(
                        store,
                        () -> {
                            clock.advanceMillis(Duration.ofHours(3).toMillis());
                            return new Cut(100, Map.of(1L, region));
                        },
                        now -> held,
                        GcOptions.DEFAULT,
                        new StoreContext(clock, Randomness.seeded(2), pause -> {}));
        assertThat(paused.run(false).deleted()).isZero();
        assertThat(collector.run(false).deleted()).isEqualTo(3);
    }

    private static byte[] frame(long sequence, long region, ObjectRef... files) {
        var record = TestRecords.record(region).setTerm(region == 1 ? 5 : 1).setSequence(sequence);
        var family = record.getColumnFamiliesBuilder(0).clearFiles();
        for (int i = 0; i < files.length; i++) {
            family.addFiles(
                    TestRecords.file(0, 10 + i, "b", "m")
                            .setSize(files[i].getLength())
                            .setObject(files[i]));
        }
        return RecordCodec.encode(record.build());
    }

    @Test
    void deletionListsAreReadBackOrNotAtAll() {
        byte[] list = DeletionLists.encode(List.of("a", "b"));
        assertThat(DeletionLists.decode(list)).containsExactly("a", "b");
        assertThat(DeletionLists.decode(DeletionLists.encode(List.of()))).isEmpty();
        for (int at = 0; at < list.length; at++) {
            byte[] damaged = list.clone();
            damaged[at] ^= 1;
            assertThat(DeletionLists.decode(damaged)).isNull();
        }
    }
}
