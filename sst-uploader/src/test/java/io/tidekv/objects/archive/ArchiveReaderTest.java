package io.tidekv.objects.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.objects.archive.ArchiveException.Kind;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What is given out of an archive, and what is not. */
class ArchiveReaderTest {
    private final ArchiveFixture archive = new ArchiveFixture();

    private static void refused(ThrowingCallable call, Kind kind, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ArchiveException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .hasMessageContaining(text);
    }

    @Test
    void whatAHigherTermReplacedIsNeverGivenOut() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).entry(7, 3, 1).store();
        // Entry 2 of term 1 never was committed: the next leader did not have it.
        archive.part(1, 2).entry(7, 2, 2).entry(7, 3, 2).committed(7, 3, 2).store();
        RegionArchive region = archive.region(7);
        assertThat(ArchiveFixture.read(region, 7, 1, 3)).containsExactly("1:1", "2:2", "3:2");
    }

    @Test
    void whatIsNotKnownToBeCommittedIsNotGivenOut() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).entry(7, 3, 1).committed(7, 2, 1).store();
        RegionArchive region = archive.region(7);
        assertThat(region.lastIndex()).isEqualTo(2);
        assertThat(ArchiveFixture.read(region, 7, 1, 2)).containsExactly("1:1", "2:1");
        refused(
                () -> ArchiveFixture.read(region, 7, 1, 3),
                Kind.HOLE,
                "entries 3 to 3 are not known to be committed");
    }

    @Test
    void oneNodesCommitCountsForTheEntriesOfAnother() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).committed(7, 0, 0).store();
        archive.part(2, 1).committed(7, 9, 1).store();
        RegionArchive region = archive.region(7);
        assertThat(ArchiveFixture.read(region, 7, 1, 2)).containsExactly("1:1", "2:1");
        refused(
                () -> ArchiveFixture.read(region, 7, 1, 9),
                Kind.HOLE,
                "entries 3 to 9 are in no object");
    }

    @Test
    void aLateVotersOtherEntriesAreNotTaken() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 3).entry(7, 3, 3).committed(7, 3, 3).store();
        // Node 2 has an entry of a leader that never got a majority, and no more.
        archive.part(2, 1).entry(7, 1, 1).entry(7, 2, 2).committed(7, 1, 1).store();
        assertThat(ArchiveFixture.read(archive.region(7), 7, 1, 3))
                .containsExactly("1:1", "2:3", "3:3");
    }

    @Test
    void aResetSaysNothingOfWhatItDrops() {
        archive.part(1, 1)
                .entry(7, 1, 1)
                .entry(7, 2, 1)
                .snapshot(7, 5, 2, true)
                .entry(7, 6, 2)
                .committed(7, 6, 2)
                .store();
        RegionArchive region = archive.region(7);
        assertThat(region.firstIndex()).isEqualTo(6);
        refused(() -> ArchiveFixture.read(region, 7, 1, 6), Kind.HOLE, "entries 1 to 5");
        // A snapshot that is moved within the log says that all before it is committed.
        archive.part(2, 1).entry(7, 1, 1).entry(7, 2, 1).snapshot(7, 2, 1, false).store();
        assertThat(archive.region(7).firstMissing(1, 6)).isEqualTo(3);
    }

    @Test
    void anEntryThatIsWrittenAnewReplacesNothing() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).entry(7, 3, 1).store();
        archive.part(1, 2).entry(7, 1, 1, true).committed(7, 3, 1).store();
        assertThat(ArchiveFixture.read(archive.region(7), 7, 1, 3))
                .containsExactly("1:1", "2:1", "3:1");
    }

    @Test
    void behindAMissingSegmentNothingBeforeItIsTrusted() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).store();
        archive.part(1, 3).entry(7, 3, 2).committed(7, 3, 2).store();
        // Segment 2 may have replaced entry 2.
        assertThat(archive.region(7).firstMissing(1, 3)).isEqualTo(1);
        archive.part(1, 2).entry(7, 2, 2).store();
        assertThat(ArchiveFixture.read(archive.region(7), 7, 1, 3))
                .containsExactly("1:1", "2:2", "3:2");
    }

    @Test
    void nodesFillEachOthersHoles() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).committed(7, 2, 1).store();
        archive.part(1, 9).entry(7, 5, 1).committed(7, 5, 1).store();
        archive.part(2, 4).entry(7, 3, 1).entry(7, 4, 1).committed(7, 3, 1).store();
        assertThat(ArchiveFixture.read(archive.region(7), 7, 1, 5)).hasSize(5);
    }

    @Test
    void whatCannotBothBeTrueIsRefused() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).committed(7, 2, 1).store();
        archive.part(2, 1).entry(7, 1, 1).entry(7, 2, 2).committed(7, 2, 2).store();
        refused(() -> archive.region(7), Kind.CONTRADICTION, "region 7: entry 2 of term 2");
        refused(() -> archive.region(8), Kind.UNKNOWN, "nothing of region 8");
    }

    @Test
    void aRestoredRegionsLogIsAnotherOne() {
        archive.part(1, 1).entry(7, 1, 1).entry(7, 2, 1).committed(7, 2, 1).store();
        archive.part(2, 1).entry(7, 1, 1).entry(7, 2, 2).committed(7, 12345, 2, 2).store();
        ArchiveReader reader = ArchiveReader.open(archive.store, 0);
        assertThat(reader.logs(7)).hasSize(2);
        assertThat(ArchiveFixture.read(reader.region(7, ArchiveFixture.LOG), 7, 1, 2))
                .containsExactly("1:1", "2:1");
        assertThat(ArchiveFixture.read(reader.region(7, 12345), 7, 1, 2))
                .containsExactly("1:1", "2:2");
    }

    @Test
    void theLogAsItWasAtATime() {
        archive.part(1, 1)
                .at(1000)
                .entry(7, 1, 1)
                .at(2000)
                .entry(7, 2, 1)
                .at(3000)
                .entry(7, 3, 1)
                .committed(7, 3, 1)
                .store();
        // Another node was late.
        archive.part(2, 1).at(9000).entry(7, 1, 1).entry(7, 2, 1).committed(7, 2, 1).store();
        RegionArchive region = archive.region(7);
        assertThat(region.indexAt(999)).isZero();
        assertThat(region.indexAt(1000)).isEqualTo(1);
        assertThat(region.indexAt(2999)).isEqualTo(2);
        assertThat(region.indexAt(5000)).isEqualTo(3);
        List<Long> times = new ArrayList<>();
        region.read(1, 3, entry -> times.add(entry.writtenMillis()));
        assertThat(times).containsExactly(1000L, 2000L, 3000L);
    }

    @Test
    void onlyTheRegionsOwnBytesAreReadAndOneCopyOfItsData() {
        int regions = 50;
        for (int node = 1; node <= 3; node++) {
            ArchiveFixture.Part part = archive.part(node, 1);
            for (long region = 1; region <= regions; region++) {
                for (long index = 1; index <= 40; index++) {
                    part.entry(region, index, 1);
                }
                part.committed(region, 40, 1);
            }
            part.store();
        }
        List<long[]> ranges = new ArrayList<>();
        ArchiveReader reader = ArchiveReader.open(archive.watched(ranges), 0);
        assertThat(ranges).as("one read of each end").hasSize(3);
        ranges.clear();
        RegionArchive region = reader.region(7);
        assertThat(ranges).as("the region's operations at each node").hasSize(3);
        assertThat(ranges).allMatch(range -> range[1] == 40 * 29);
        ranges.clear();
        assertThat(ArchiveFixture.read(region, 7, 11, 20)).hasSize(10);
        assertThat(ranges).as("the data that were asked for, once").hasSize(1);
        int bytes = 0;
        for (long index = 11; index <= 20; index++) {
            bytes += ArchiveFixture.data(7, index, 1).length;
        }
        assertThat(ranges.get(0)[1]).isEqualTo(bytes);
    }

    @Test
    void oldPartsGoFromTheFrontOnly() {
        for (long segment = 1; segment <= 3; segment++) {
            archive.part(1, segment).entry(7, segment, 1).store();
            archive.part(2, segment).entry(7, segment, 1).store();
        }
        assertThat(ArchivePruner.nodes(archive.store))
                .containsExactly(ArchiveFixture.node(1), ArchiveFixture.node(2));
        long later = ArchivePruner.newestMillis(archive.store) + 1;
        List<ObjectInfo> shown =
                ArchivePruner.prune(archive.store, ArchiveFixture.node(1), later, true);
        assertThat(shown).hasSize(3);
        assertThat(archive.store.list(ArchiveNames.PREFIX, "", 10)).hasSize(6);
        assertThat(ArchivePruner.prune(archive.store, ArchiveFixture.node(1), 0, false)).isEmpty();
        assertThat(ArchivePruner.prune(archive.store, ArchiveFixture.node(1), later, false))
                .hasSize(3);
        assertThat(ArchivePruner.nodes(archive.store)).containsExactly(ArchiveFixture.node(2));
    }
}
