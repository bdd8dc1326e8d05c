package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.region.Snapshot;
import io.tidekv.proto.wal.VoterMeta;
import io.tidekv.wal.core.VoterStorage.Recovered;
import io.tidekv.wal.storage.MemoryWalFiles.Call;
import io.tidekv.wal.storage.MemoryWalFiles.Crash;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Dead segments are written over; what they held never comes back. */
class SpareSegmentTest {
    private static final StorageOptions OPTIONS = new StorageOptions(8192, 0, 1024);
    private static final long REGION = 1;

    /** The first record of a pair fills the batch's first sector, the second one the next. */
    private static final int FIRST_DATA =
            SegmentHeader.BLOCK - BatchHeader.SIZE - LogRecord.FRAME - LogRecord.ENTRY_HEAD;

    private static final int SECOND_DATA =
            SegmentHeader.BLOCK - LogRecord.FRAME - LogRecord.ENTRY_HEAD;

    private final MemoryWalFiles files = new MemoryWalFiles();
    private int reused;
    private long durable;
    private int losses;

    private static SegmentStore open(MemoryWalFiles files) throws IOException {
        return SegmentStore.open(files, StoreScript.NODE, OPTIONS);
    }

    private static Entry entry(long index, int bytes) {
        byte[] data = new byte[bytes];
        java.util.Arrays.fill(data, (byte) index);
        return Entry.newBuilder()
                .setIndex(index)
                .setTerm(1)
                .setKindValue(5)
                .setData(ByteString.copyFrom(data))
                .build();
    }

    private static VoterMeta meta(long snapshot) {
        return VoterMeta.newBuilder()
                .setTerm(1)
                .setSnapshot(Snapshot.newBuilder().setIndex(snapshot))
                .build();
    }

    /** Pairs of the same lengths over and over, so that old and new records lie at one place. */
    private void run(SegmentStore store) throws IOException {
        store.putMeta(REGION, meta(0));
        commit(store, 0);
        for (long index = 1; index < 400; index += 2) {
            store.append(REGION, List.of(entry(index, FIRST_DATA), entry(index + 1, SECOND_DATA)));
            commit(store, index + 1);
            if (index % 8 == 7) {
                for (int i = 0; i < 2; i++) {
                    store.putMeta(REGION, meta(index - 3));
                    commit(store, index + 1);
                }
            }
        }
    }

    private void commit(SegmentStore store, long lastIndex) throws IOException {
        store.commit();
        durable = lastIndex;
        store.maintain(0);
    }

    @Test
    void aTornBatchDoesNotTakeUpTheRecordsItHasNotWrittenOver() throws IOException {
        files.setFault(
                (call, name) -> {
                    if (call == Call.RENAME && name.equals("SPARE")) {
                        reused++;
                    } else if (call == Call.SYNC && durable > 0) {
                        for (int i = 0; i < 8; i++) {
                            losePower(Randomness.seeded(losses++));
                        }
                    }
                });
        run(open(files));
        assertThat(reused).isGreaterThan(10);
    }

    private void losePower(Randomness randomness) throws IOException {
        MemoryWalFiles found = files.crashed(Crash.TORN, randomness);
        try (SegmentStore store = open(found)) {
            Recovered region = store.recover().get(0);
            long last = region.lastIndex();
            assertThat(last).isGreaterThanOrEqualTo(durable);
            long first = region.meta().getSnapshot().getIndex() + 1;
            for (Entry entry : store.read(REGION, first, last, 1 << 20)) {
                int bytes = entry.getIndex() % 2 == 1 ? FIRST_DATA : SECOND_DATA;
                assertThat(entry).isEqualTo(entry(entry.getIndex(), bytes));
            }
        }
        assertThat(found.list()).doesNotContain("SPARE");
    }

    @Test
    void aSpareIsGivenUpWhenSpaceIsShort() throws IOException {
        SegmentStore store = open(files);
        run(store);
        while (!files.list().contains("SPARE")) {
            store.putMeta(REGION, meta(durable));
            commit(store, durable);
        }
        files.setCapacity(0);
        store.maintain(0);
        assertThat(files.list()).doesNotContain("SPARE");
    }
}
