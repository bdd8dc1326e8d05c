package io.tidekv.objects.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.TestPacks;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.manifest.PackCodec;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.restore.Restoration.Part;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.proto.manifest.Lineage;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.pdstate.RestoredRegion;
import io.tidekv.proto.region.MergedRegion;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import org.junit.jupiter.api.Test;

class RestorationTest {
    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore store = new MemoryObjectStore(clock);
    private final Randomness randomness = Randomness.seeded(1);

    private static TabletRecord.Builder record(
            long region, long version, String start, String end, long applied) {
        TabletRecord.Builder record = TestRecords.record(region);
        record.setShape(
                        RegionShape.newBuilder()
                                .setRegionId(region)
                                .setVersion(version)
                                .setStartKey(ByteString.copyFromUtf8(start))
                                .setEndKey(ByteString.copyFromUtf8(end)))
                .setAppliedIndex(applied)
                .setSequence(applied);
        record.getColumnFamiliesBuilder(0).clearFiles();
        return record;
    }

    private void put(TabletRecord.Builder record) {
        String name =
                "record/"
                        + record.getShape().getRegionId()
                        + "/"
                        + record.getTerm()
                        + "-"
                        + record.getSequence()
                        + "-u";
        store.putIfAbsent(name, RecordCodec.encode(record.build()));
    }

    private static TabletRecord.Builder first(TabletRecord.Builder record, long from, long index) {
        return record.setTerm(1)
                .setSequence(0)
                .setAppliedIndex(0)
                .addLineage(
                        Lineage.newBuilder().setRegionId(from).setIndex(index).setEvent("split"));
    }

    private Restoration restore() {
        return Restoration.newest(store, 7, new NoReplay(), Goal.LATEST, randomness);
    }

    private List<String> parts() {
        return restore().parts().stream().map(RestorationTest::text).toList();
    }

    private static String text(Part part) {
        return part.startKey().toStringUtf8()
                + "-"
                + part.endKey().toStringUtf8()
                + " "
                + (part.record().isEmpty() ? "nothing" : part.record());
    }

    @Test
    void takesTheNewestOfEachRegion() {
        put(record(1, 3, "", "m", 50));
        put(record(1, 3, "", "m", 60));
        put(record(2, 3, "m", "", 20));
        assertThat(parts()).containsExactly("-m record/1/5-60-u", "m- record/2/5-20-u");
        Restoration made = restore();
        assertThat(made.plan().getClusterId()).isEqualTo(7);
        assertThat(made.plan().getNextId()).isGreaterThan(1000);
        RestoredRegion region = made.plan().getRegions(0);
        assertThat(region.getTerm()).as("above what is in the bucket").isGreaterThan(5);
        assertThat(region.getShape().getVersion()).isGreaterThan(3);
        ObjectRef ref = region.getFirstRecord();
        TabletRecord first = RecordCodec.decode("x", RecordCodec.read(store, ref));
        assertThat(first.getAppliedIndex()).isZero();
        assertThat(first.getShape().getRegionId()).isEqualTo(1);
        assertThat(first.getTerm()).isEqualTo(region.getTerm());
    }

    @Test
    void aPlanThatNobodyHasUsedDoesNotCount() {
        put(record(1, 3, "", "m", 50));
        put(record(2, 3, "m", "", 60));
        Restoration once = restore();
        Restoration twice = restore();
        assertThat(twice.parts())
                .extracting(Part::record)
                .containsExactly("record/1/5-50-u", "record/2/5-60-u");
        assertThat(twice.plan().getRegions(0).getTerm())
                .isGreaterThan(once.plan().getRegions(0).getTerm());
        // A cluster begins with the first: one of its regions publishes, the other never does.
        ObjectRef first = once.plan().getRegions(0).getFirstRecord();
        TabletRecord.Builder next =
                RecordCodec.decode("x", RecordCodec.read(store, first)).toBuilder();
        put(next.setSequence(1).setAppliedIndex(3).setTerm(next.getTerm() + 5));
        assertThat(restore().parts())
                .extracting(Part::record)
                .containsExactly(
                        "record/1/11-1-u", once.plan().getRegions(1).getFirstRecord().getKey());
    }

    @Test
    void aPlanIsInUseWhenTheRecordsBeforeItAreCollected() {
        put(record(1, 3, "", "", 50));
        Restoration once = restore();
        store.delete("record/1/5-50-u");
        Restoration unused = restore();
        assertThat(unused.parts().get(0).record())
                .isEqualTo(once.plan().getRegions(0).getFirstRecord().getKey());
        assertThat(restore().parts().get(0).record()).isEqualTo(unused.parts().get(0).record());
    }

    @Test
    void aChildThatHasPublishedCutsItsParentsOlderRecord() {
        put(record(1, 3, "", "", 50));
        put(record(2, 4, "", "g", 5).setTerm(1));
        assertThat(parts()).containsExactly("-g record/2/1-5-u", "g- record/1/5-50-u");
    }

    @Test
    void aFirstRecordThatIsOlderThanItsParentIsNotTaken() {
        put(record(1, 3, "", "", 50));
        put(first(record(2, 4, "", "g", 0), 1, 40));
        assertThat(parts()).as("the split was given up").containsExactly("- record/1/5-50-u");
    }

    @Test
    void aFirstRecordThatIsNewerThanItsParentsIsTaken() {
        put(record(1, 3, "", "", 50));
        put(first(record(3, 5, "", "c", 0), 1, 60));
        assertThat(parts()).containsExactly("-c record/3/1-0-u", "c- record/1/5-50-u");
    }

    private static RegionShape right() {
        return record(1, 3, "m", "", 0).getShape();
    }

    /** Region 1 with what region 2 had at entry 40 of its log. */
    private static TabletRecord.Builder merged() {
        return record(1, 5, "", "", 50)
                .addLineage(Lineage.newBuilder().setRegionId(2).setIndex(40).setEvent("merge"))
                .addUnreportedMerges(
                        MergedRegion.newBuilder()
                                .setShape(record(2, 4, "", "m", 0).getShape())
                                .setTarget(right()));
    }

    @Test
    void aMergedRegionIsTakenForBoth() {
        put(record(2, 4, "", "m", 40));
        put(record(1, 3, "m", "", 45));
        put(merged());
        assertThat(parts()).containsExactly("- record/1/5-50-u");
    }

    @Test
    void aMergeThatTheSourceHasOutlivedIsNotTakenForIt() {
        put(record(1, 3, "m", "", 45));
        put(merged());
        put(record(2, 4, "", "m", 41));
        assertThat(parts()).containsExactly("-m record/2/5-41-u", "m- record/1/5-50-u");
    }

    @Test
    void aPieceInTheMiddleMakesTwoRegionsOfTheRest() {
        put(record(1, 3, "", "", 50));
        put(record(2, 4, "g", "m", 5));
        Restoration made = restore();
        assertThat(made.parts().stream().map(Part::regionId).distinct().count()).isEqualTo(3);
        assertThat(made.plan().getRegionsList())
                .extracting(r -> r.getShape().getRegionId())
                .as("one of them keeps the id")
                .contains(1L, 2L);
        assertThat(made.plan().getNextId())
                .as("ids to come")
                .isGreaterThan(made.parts().stream().mapToLong(Part::regionId).max().orElse(0));
    }

    @Test
    void gapsBeginEmpty() {
        put(record(1, 3, "c", "m", 50));
        assertThat(parts()).containsExactly("-c nothing", "c-m record/1/5-50-u", "m- nothing");
        ObjectRef first = restore().plan().getRegions(0).getFirstRecord();
        assertThat(RecordCodec.decode("x", RecordCodec.read(store, first)).getColumnFamiliesCount())
                .isZero();
    }

    @Test
    void anOlderRecordIsTakenWhenTheNewestIsDamagedOrLacksAnObject() {
        put(record(1, 3, "", "", 50));
        TabletRecord.Builder newer = record(1, 3, "", "", 60);
        newer.getColumnFamiliesBuilder(0).addFiles(TestRecords.file(0, 10, "b", "m"));
        put(newer);
        store.putIfAbsent("record/1/5-70-u", new byte[10]);
        Restoration made = restore();
        assertThat(made.parts()).singleElement().matches(p -> p.record().equals("record/1/5-50-u"));
        assertThat(made.problems())
                .anyMatch(p -> p.contains("sst/1/5-10-u.sst"))
                .anyMatch(p -> p.contains("record/1/5-70-u"));
        store.putIfAbsent("sst/1/5-10-u.sst", new byte[4096]);
        assertThat(restore().plan().getRegions(0).getFirstRecord().getKey()).startsWith("record/1");
    }

    @Test
    void recordsInPacksAreFound() {
        TestPacks pack = new TestPacks("pack/3-9/x");
        ObjectRef member =
                pack.add(
                        PackCodec.Kind.RECORD,
                        1,
                        5,
                        RecordCodec.encode(record(1, 3, "", "", 50).build()));
        store.putIfAbsent(pack.name(), pack.sealed());
        Restoration made = restore();
        assertThat(made.parts().get(0).record()).isEqualTo("pack/3-9/x@" + member.getOffset());
        assertThat(made.plan().getNextIncarnation()).isGreaterThan(9);
    }

    @Test
    void timestampsBeginAfterTheNewestObject() {
        put(record(1, 3, "", "", 50));
        long stored = store.head("record/1/5-50-u").modifiedMillis();
        assertThat(restore().plan().getTsoBoundMillis()).isGreaterThan(stored);
        assertThat(restore().parts().get(0).untilMillis()).isGreaterThanOrEqualTo(stored);
    }

    @Test
    void anEmptyStoreIsSaidToBeEmpty() {
        assertThatThrownBy(this::restore)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no record of cluster 7");
        assertThat(Restoration.onlyCluster(store)).isNull();
        store.putIfAbsent("12/x", new byte[1]);
        store.putIfAbsent("zoo", new byte[1]);
        assertThat(Restoration.onlyCluster(store)).isEqualTo(12L);
        store.putIfAbsent("13/x", new byte[1]);
        assertThat(Restoration.onlyCluster(store)).isNull();
    }
}
