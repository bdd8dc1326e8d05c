package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.wal.core.VoterStorage.TermRun;
import io.tidekv.wal.core.VoterStorageException;
import io.tidekv.wal.storage.MemoryWalFiles.Call;
import java.io.IOException;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class SegmentStoreTest {
    private final MemoryWalFiles files = new MemoryWalFiles();

    private SegmentStore open(long segmentBytes, long reserved) throws IOException {
        return SegmentStore.open(
                files, StoreScript.NODE, new StorageOptions(segmentBytes, reserved));
    }

    private static VoterMeta meta(long snapshot) {
        return VoterMeta.newBuilder()
                .setTerm(3)
                .setSnapshot(Snapshot.newBuilder().setIndex(snapshot))
                .build();
    }

    private static Entry entry(long index, long term, int bytes) {
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(term)
                .setKindValue(77)
                .setData(ByteString.copyFrom(new byte[bytes]))
                .build();
    }

    private static void commit(SegmentStore store) throws IOException {
        store.commit();
        store.maintain(1 << 20);
    }

    @Test
    void readsByBytesAndFindsWhatIsNotWrittenYet() throws IOException {
        SegmentStore store = open(1 << 20, 0);
        store.putMeta(1, meta(0));
        store.append(1, List.of(entry(1, 1, 100), entry(2, 1, 100)));
        commit(store);
        store.append(1, List.of(entry(3, 2, 100)));
        assertThat(store.read(1, 1, 3, 250)).hasSize(2);
        assertThat(store.read(1, 1, 3, 1)).hasSize(1);
        assertThat(store.read(1, 1, 3, 300)).hasSize(3).last().isEqualTo(entry(3, 2, 100));
        store.append(1, List.of(entry(2, 3, 5)));
        commit(store);
        var region = open(1 << 20, 0).recover().get(0);
        assertThat(region.lastIndex()).isEqualTo(2);
        assertThat(region.runs()).containsExactly(new TermRun(1, 1), new TermRun(2, 3));
    }

    @Test
    void oneCommitIsOneSync() throws IOException {
        SegmentStore store = open(1 << 20, 0);
        for (long region = 1; region <= 100; region++) {
            store.putMeta(region, meta(0));
            store.append(region, List.of(entry(1, 1, 1000)));
        }
        long before = store.stats().syncs();
        assertThat(store.commit()).isTrue();
        assertThat(store.commit()).isFalse();
        assertThat(store.stats().syncs()).isEqualTo(before + 1);
    }

    @Test
    void segmentsDieWhenEveryRegionHasTrimmedPastThem() throws IOException {
        SegmentStore store = open(100_000, 0);
        store.putMeta(1, meta(0));
        store.putMeta(2, meta(0));
        for (long index = 1; index <= 50; index++) {
            store.append(1, List.of(entry(index, 1, 10_000)));
            store.append(2, List.of(entry(index, 1, 100)));
            commit(store);
        }
        assertThat(store.stats().segments()).isEqualTo(6);
        store.putMeta(1, meta(20));
        commit(store);
        assertThat(store.stats().segments()).as("region 2 needs all").isEqualTo(6);
        store.putMeta(2, meta(35));
        commit(store);
        assertThat(store.stats().segments()).isEqualTo(4);
        assertThat(open(100_000, 0).recover()).hasSize(2);
    }

    @Test
    void theSegmentsTakeUpTwiceWhatIsLiveAndTwoSegmentsAtMost() throws IOException {
        long segmentBytes = 20_000;
        SegmentStore store = open(segmentBytes, 0);
        for (long region = 1; region <= 7; region++) {
            store.putMeta(region, meta(0));
        }
        long[] lasts = new long[8];
        for (long index = 1; index <= 900; index++) {
            store.append(1, List.of(entry(index, 1, 1000)));
            store.putMeta(1, meta(Math.max(0, index - 3)));
            if (index % 40 == 0) {
                int pinned = (int) (2 + index / 40 % 6);
                store.append(pinned, List.of(entry(++lasts[pinned], 1, 700)));
            }
            commit(store);
            StorageStats now = store.stats();
            assertThat(now.segmentBytes())
                    .as("after entry " + index)
                    .isLessThanOrEqualTo(2 * now.liveBytes() + 2 * segmentBytes);
        }
        assertThat(store.read(2, 1, lasts[2], 1 << 20)).hasSize((int) lasts[2]);
    }

    @Test
    void anIdleRegionDoesNotKeepALongLogAlive() throws IOException {
        SegmentStore store = open(100_000, 0);
        store.putMeta(7, meta(3));
        store.append(7, List.of(entry(4, 1, 5000), entry(5, 2, 5000)));
        store.putMeta(1, meta(0));
        for (long index = 1; index <= 200; index++) {
            store.append(1, List.of(entry(index, 1, 10_000)));
            store.putMeta(1, meta(index));
            commit(store);
        }
        assertThat(store.stats().segments()).isLessThanOrEqualTo(5);
        assertThat(files.list()).doesNotContain("0000000000000001.wal");
        SegmentStore again = open(100_000, 0);
        assertThat(again.read(7, 4, 5, 1 << 20))
                .containsExactly(entry(4, 1, 5000), entry(5, 2, 5000));
    }

    @Test
    void aFailedSyncLeavesOnlyWhatWasSyncedBefore() throws IOException {
        SegmentStore store = open(1 << 20, 0);
        store.putMeta(1, meta(0));
        commit(store);
        store.append(1, List.of(entry(1, 1, 10)));
        files.setFault(
                (call, name) -> {
                    if (call == Call.SYNC) {
                        throw new IOException("the disk is gone");
                    }
                });
        assertThatThrownBy(store::commit).hasMessage("the disk is gone");
        assertRefused(() -> store.putMeta(1, meta(0)), WalErrorCode.STORAGE_FAILED);
        assertRefused(() -> store.read(1, 1, 1, 1), WalErrorCode.STORAGE_FAILED);
        assertThatThrownBy(store::commit).hasMessage("the storage has failed");
        assertThatThrownBy(store::reopen).hasMessage("the disk is gone");
        files.setFault((call, name) -> {});
        SegmentStore again = store.reopen();
        // The entry stands in the file, yet no sync has vouched for it.
        assertThat(again.recover().get(0).lastIndex()).isZero();
        again.append(1, List.of(entry(1, 2, 10)));
        commit(again);
        assertThat(open(1 << 20, 0).recover().get(0).runs()).containsExactly(new TermRun(1, 2));
    }

    @Test
    void aFullDiskIsToldBeforeItHurts() throws IOException {
        files.setCapacity(300_000);
        SegmentStore store = open(20_000, 200_000);
        store.putMeta(1, meta(0));
        commit(store);
        long last = 0;
        while (last < 1000) {
            try {
                store.append(1, List.of(entry(last + 1, 1, 5000)));
                last++;
                commit(store);
            } catch (VoterStorageException e) {
                assertThat(e.code()).isEqualTo(WalErrorCode.DISK_FULL);
                break;
            }
        }
        assertThat(last).isBetween(10L, 20L);
        assertThat(store.stats().full()).isEqualTo(1);
        // Snapshots still move, and that frees space.
        store.putMeta(1, meta(last));
        commit(store);
        store.putMeta(1, meta(last));
        commit(store);
        store.append(1, List.of(entry(last + 1, 1, 5000)));
        commit(store);
        assertThat(store.read(1, last + 1, last + 1, 1)).hasSize(1);
    }

    @Test
    void aWriteThatFailsIsCutAway() throws IOException {
        SegmentStore store = open(1 << 20, 0);
        store.putMeta(1, meta(0));
        commit(store);
        store.append(1, List.of(entry(1, 1, 50_000)));
        files.setCapacity(10_000);
        assertThatThrownBy(store::commit).hasMessageContaining("No space left");
        SegmentStore again = store.reopen();
        assertThat(again.recover().get(0).lastIndex()).isZero();
        assertRefused(() -> again.append(1, List.of(entry(1, 1, 50_000))), WalErrorCode.DISK_FULL);
        files.setCapacity(1 << 30);
        again.maintain(0);
        again.append(1, List.of(entry(1, 1, 50_000)));
        assertThat(again.commit()).isTrue();
    }

    @Test
    void anEntryLargerThanASegmentFits() throws IOException {
        SegmentStore store = open(1 << 20, 0);
        store.putMeta(1, meta(0));
        store.append(1, List.of(entry(1, 1, 5 << 20)));
        commit(store);
        store.append(1, List.of(entry(2, 1, 10)));
        commit(store);
        SegmentStore again = open(1 << 20, 0);
        assertThat(again.read(1, 1, 2, 1L << 30)).hasSize(2);
        assertThat(again.stats().segments()).isEqualTo(2);
    }

    private static void assertRefused(Runnable call, WalErrorCode code) {
        assertThatThrownBy(call::run)
                .asInstanceOf(InstanceOfAssertFactories.type(VoterStorageException.class))
                .extracting(VoterStorageException::code)
                .isEqualTo(code);
    }
}
