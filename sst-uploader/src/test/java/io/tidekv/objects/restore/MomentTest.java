package io.tidekv.objects.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.PartBuilder;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.proto.wal.VoterMeta;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MomentTest {
    private final MemoryObjectStore store = new MemoryObjectStore();

    /** A segment of a node in which regions wrote at a time. */
    private void part(int node, long segment, long millis, long... regions) {
        UUID uuid = new UUID(node, node);
        PartBuilder part = new PartBuilder(uuid, node, 7, segment, 4096);
        part.time(millis);
        for (long region : regions) {
            part.entry(region, segment, 1, 2, false, ByteBuffer.allocate(8));
        }
        long from = ArchivePart.SEGMENT_START;
        store.putIfAbsent(
                new ArchiveNames.Place(uuid, segment, from, 4096).name(), part.build(from, 4096));
    }

    private ArchiveReader archive() {
        return ArchiveReader.open(store, 0);
    }

    @Test
    void allVotersButOneMustHaveShipped() {
        part(1, 1, 100_000, 4, 5);
        part(2, 1, 200_000, 4, 5);
        part(3, 1, 300_000, 4);
        assertThat(ArchiveCoverage.untilMillis(archive())).as("4: 200 s").isEqualTo(200_000);
        // A later part without the region counts as well: nothing of it is missing.
        part(1, 2, 400_000, 6);
        part(2, 2, 400_000, 6);
        assertThat(ArchiveCoverage.untilMillis(archive())).isEqualTo(400_000);
        part(3, 2, 500_000, 9);
        assertThat(ArchiveCoverage.untilMillis(archive()))
                .as("a region that one of three has")
                .isZero();
    }

    @Test
    void whatMayHaveBeenCommittedEndsWhatIsCertain() {
        PartBuilder part = new PartBuilder(new UUID(1, 1), 1, 7, 1, 4096);
        part.time(100_000);
        part.entry(4, 1, 1, 2, false, ByteBuffer.allocate(8));
        part.time(150_000);
        part.entry(4, 2, 1, 2, false, ByteBuffer.allocate(8));
        part.time(200_000);
        part.entry(5, 1, 1, 2, false, ByteBuffer.allocate(8));
        part.committed(4, 9, 1, 1);
        part.committed(5, 9, 1, 1);
        long from = ArchivePart.SEGMENT_START;
        store.putIfAbsent(
                new ArchiveNames.Place(new UUID(1, 1), 1, from, 4096).name(),
                part.build(from, 4096));
        LogTails tails =
                new LogTails(
                        archive(),
                        new ArchivedMerges(archive()),
                        new NoReplay(),
                        Inventory.of(store, 7),
                        Moment.ALL,
                        false);
        assertThat(tails.completeUntilMillis())
                .as("an acknowledged write may be entry 2 of region 4")
                .isEqualTo(149_999);
    }

    /** Both nodes wrote three entries, and have left the region before they could say more. */
    private void retired(int node) {
        UUID uuid = new UUID(node, node);
        PartBuilder part = new PartBuilder(uuid, node, 7, 1, 4096);
        for (int entry = 1; entry <= 3; entry++) {
            part.time(100_000L * entry);
            part.entry(4, entry, 1, 2, false, ByteBuffer.allocate(8));
        }
        part.time(400_000);
        part.committed(4, 9, 1, 1);
        part.meta(4, VoterMeta.newBuilder().setRetiredGeneration(2).build(), true);
        part.time(500_000);
        part.entry(5, 1, 1, 2, false, ByteBuffer.allocate(8));
        part.committed(5, 9, 1, 1);
        long from = ArchivePart.SEGMENT_START;
        store.putIfAbsent(
                new ArchiveNames.Place(uuid, 1, from, 4096).name(), part.build(from, 4096));
    }

    @Test
    void whatVotersWereToldToForgetMayHaveBeenAcknowledged() {
        retired(1);
        retired(2);
        ArchiveReader archive = archive();
        LogTails tails =
                new LogTails(
                        archive,
                        new ArchivedMerges(archive),
                        new NoReplay(),
                        Inventory.of(store, 7),
                        Moment.ALL,
                        false);
        assertThat(tails.completeUntilMillis()).isEqualTo(199_999);
        assertThat(archive.region(4).lastReadable(1, Long.MAX_VALUE)).isEqualTo(1);
        archive.committed(4, 3, 2);
        assertThat(archive.region(4).lastReadable(1, Long.MAX_VALUE))
                .as("that is not in this log")
                .isEqualTo(1);
        archive.committed(4, 3, 1);
        assertThat(archive.region(4).lastReadable(1, Long.MAX_VALUE)).isEqualTo(3);
        assertThat(tails.completeUntilMillis()).isEqualTo(500_000);
    }

    @Test
    void aTimeThatIsNotCoveredIsRefused() {
        assertThatThrownBy(() -> Moment.at(1, 0))
                .isInstanceOf(RestoreRefused.class)
                .hasMessageContaining("no whole archive");
        assertThatThrownBy(() -> Moment.at(99_001, 100_000))
                .isInstanceOf(RestoreRefused.class)
                .hasMessageContaining("only until 1970-01-01T00:01:39Z");
        Moment moment = Moment.at(99_000, 100_000);
        assertThat(moment.logMillis()).isEqualTo(100_000);
        assertThat(moment.upToTs() >>> 18).isEqualTo(99_000);
    }
}
