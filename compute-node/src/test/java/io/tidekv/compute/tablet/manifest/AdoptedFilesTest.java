package io.tidekv.compute.tablet.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.compute.tablet.Compacted;
import io.tidekv.compute.tablet.LentCompaction;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.proto.manifest.ColumnFamily;
import io.tidekv.proto.manifest.CustomField;
import io.tidekv.proto.manifest.SstFile;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** When the outputs of a compaction may take their inputs' place, and when not. */
class AdoptedFilesTest {
    private static final SstFile OLD = file(11, 0, "b", "m", 10, 19);
    private static final SstFile NEWER = file(12, 0, "c", "k", 20, 29);
    private static final SstFile BELOW = file(13, 5, "a", "n", 1, 9);
    private static final SstFile DEEP = file(14, 6, "a", "z", 0, 0);
    private static final SstFile OUTPUT = file(20, 5, "a", "n", 1, 29);
    private static final TabletRecord BASE = record(30, OLD, NEWER, BELOW, DEEP);

    private static SstFile file(
            long number, int level, String from, String to, long lowest, long highest) {
        return SstFile.newBuilder()
                .setNumber(number)
                .setLevel(level)
                .setSize(1000 + number)
                .setSmallest(internal(from))
                .setLargest(internal(to))
                .setSmallestSequence(lowest)
                .setLargestSequence(highest)
                .addCustom(CustomField.newBuilder().setTag(Tags.FILE_UNIQUE_ID))
                .setObject(
                        ObjectRef.newBuilder()
                                .setKey("sst/7/3-" + number + "-u.sst")
                                .setLength(1000 + number))
                .build();
    }

    private static ByteString internal(String key) {
        return ByteString.copyFromUtf8(key).concat(ByteString.copyFrom(new byte[8]));
    }

    private static TabletRecord record(long nextFile, SstFile... files) {
        return TabletRecord.newBuilder()
                .setShape(RegionShape.newBuilder().setRegionId(7))
                .setTerm(3)
                .setNextFile(nextFile)
                .setLastSequence(100)
                .addColumnFamilies(
                        ColumnFamily.newBuilder()
                                .setName("default")
                                .setComparator(FileSet.COMPARATOR)
                                .addAllFiles(Arrays.asList(files)))
                .build();
    }

    private static TabletRecord adopt(TabletRecord draft, List<Long> removed, SstFile... outputs) {
        return adopt(BASE, draft, removed, outputs);
    }

    private static TabletRecord adopt(
            TabletRecord base, TabletRecord draft, List<Long> removed, SstFile... outputs) {
        PreparedRecord lent = new PreparedRecord(ObjectRef.getDefaultInstance(), base);
        return AdoptedFiles.adopt(
                draft,
                new LentCompaction(lent, 0, removed, 5, 0, 0),
                new Compacted(Set.copyOf(removed), List.of(outputs)));
    }

    private static void refuses(String reason, Runnable adoption) {
        assertThatThrownBy(adoption::run)
                .isInstanceOf(ManifestException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void whatHasBeenFlushedSinceStaysAbove() {
        SstFile flushed = file(40, 0, "a", "z", 30, 50);
        TabletRecord draft = record(41, OLD, NEWER, BELOW, DEEP, flushed);
        TabletRecord adopted = adopt(draft, List.of(11L, 12L, 13L), OUTPUT);
        assertThat(adopted.getNextFile()).isEqualTo(42);
        assertThat(adopted.getColumnFamilies(0).getFilesList())
                .containsExactlyInAnyOrder(DEEP, flushed, OUTPUT.toBuilder().setNumber(41).build());
    }

    @Test
    void nothingIsInPlaceOfWhatHasVanished() {
        List<Long> removed = List.of(11L, 12L, 13L);
        TabletRecord draft = record(30, OLD, NEWER, BELOW, DEEP);
        assertThat(adopt(draft, removed).getColumnFamilies(0).getFilesList()).containsExactly(DEEP);
    }

    @Test
    void everyInputMustBeInItsPlace() {
        List<Long> removed = List.of(11L, 12L, 13L);
        refuses("file 12", () -> adopt(record(30, OLD, BELOW, DEEP), removed, OUTPUT));
        SstFile moved = BELOW.toBuilder().setLevel(4).build();
        refuses("file 13", () -> adopt(record(30, OLD, NEWER, moved, DEEP), removed, OUTPUT));
        SstFile other =
                NEWER.toBuilder().setObject(NEWER.getObject().toBuilder().setKey("x")).build();
        refuses("file 12", () -> adopt(record(30, OLD, other, BELOW, DEEP), removed, OUTPUT));
        refuses("not all", () -> adoptLess(record(30, OLD, NEWER, BELOW, DEEP)));
    }

    private static void adoptLess(TabletRecord draft) {
        PreparedRecord lent = new PreparedRecord(ObjectRef.getDefaultInstance(), BASE);
        AdoptedFiles.adopt(
                draft,
                new LentCompaction(lent, 0, List.of(11L, 12L, 13L), 5, 0, 0),
                new Compacted(Set.of(11L), List.of(OUTPUT)));
    }

    /** A version that is newer than the outputs' would come to lie below them, or beside. */
    @Test
    void nothingMayLieBetweenTheInputsAndTheOutputs() {
        SstFile between = file(15, 3, "g", "h", 5, 6);
        TabletRecord base = record(30, OLD, NEWER, between, BELOW, DEEP);
        refuses("file 15 lies between", () -> adopt(base, base, List.of(11L, 12L, 13L), OUTPUT));
        refuses("file 11 lies between", () -> adopt(BASE, List.of(12L, 13L), OUTPUT));
        refuses("file 13 lies between", () -> adopt(BASE, List.of(11L, 12L), OUTPUT));
        SstFile apart = file(15, 3, "p", "q", 5, 6);
        TabletRecord beside = record(30, OLD, NEWER, apart, BELOW, DEEP);
        assertThat(
                        adopt(beside, beside, List.of(11L, 12L, 13L), OUTPUT)
                                .getColumnFamilies(0)
                                .getFilesList())
                .hasSize(3);
    }

    /** The worker has dropped tombstones because nothing lay deeper. */
    @Test
    void nothingMayHaveSunkSince() {
        SstFile sunk = file(15, 6, "zz", "zzz", 0, 0);
        refuses(
                "file 15 has come to level 6",
                () ->
                        adopt(
                                record(30, OLD, NEWER, BELOW, DEEP, sunk),
                                List.of(11L, 12L, 13L),
                                OUTPUT));
    }

    @Test
    void outputsMustBeOfTheOwnersTermAndOfTheInputs() {
        for (SstFile bad :
                List.of(
                        named("sst/7/4-20-u.sst"),
                        named("sst/8/3-20-u.sst"),
                        named("record/7/3-20-u"),
                        named("of/9/sst/7/3-20-u.sst"))) {
            refuses("region and term", () -> adopt(BASE, List.of(11L, 12L, 13L), bad));
        }
        for (SstFile bad :
                List.of(
                        file(20, 5, "Z", "n", 1, 29),
                        file(20, 5, "a", "o", 1, 29),
                        file(20, 5, "a", "n", 1, 30),
                        file(20, 6, "a", "n", 1, 29))) {
            refuses("cannot have come", () -> adopt(BASE, List.of(11L, 12L, 13L), bad));
        }
        SstFile larger = OUTPUT.toBuilder().setSize(OUTPUT.getSize() + 1).build();
        refuses("no object of its size", () -> adopt(BASE, List.of(11L, 12L, 13L), larger));
        refuses("region and term", () -> adopt(BASE, List.of(11L, 12L, 13L), named("")));
        refuses(
                "overlap",
                () -> adopt(BASE, List.of(11L, 12L, 13L), OUTPUT, file(21, 5, "c", "d", 1, 29)));
    }

    private static SstFile named(String key) {
        return OUTPUT.toBuilder().setObject(OUTPUT.getObject().toBuilder().setKey(key)).build();
    }

    @Test
    void whatLiesOutsideTheRegionIsNotNamed() {
        TabletRecord draft = record(30, OLD, NEWER, BELOW, DEEP);
        TabletRecord shrunk =
                draft.toBuilder()
                        .setShape(draft.getShape().toBuilder().setEndKey(internal("f")))
                        .build();
        SstFile left = file(20, 5, "a", "e", 1, 29);
        SstFile right = file(21, 5, "g", "n", 1, 29);
        assertThat(
                        adopt(shrunk, List.of(11L, 12L, 13L), left, right)
                                .getColumnFamilies(0)
                                .getFilesList())
                .containsExactlyInAnyOrder(DEEP, left.toBuilder().setNumber(30).build());
    }
}
