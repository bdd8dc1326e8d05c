package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.Randomness;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Large batches are written past the cache of the file system, small ones through it. */
class LargeBatchTest {
    private static final StorageOptions OPTIONS = new StorageOptions(300_000, 0, 10_000);
    private static final long REGION = 1;

    private final Randomness random = Randomness.seeded(4096);
    private final List<Entry> written = new ArrayList<>();

    private void append(SegmentStore store, int bytes) {
        byte[] data = new byte[bytes];
        random.nextBytes(data);
        Entry entry =
                Entry.newBuilder()
                        .setIndex(written.size() + 1)
                        .setTerm(1)
                        .setKindValue(5)
                        .setData(ByteString.copyFrom(data))
                        .build();
        store.append(REGION, List.of(entry));
        written.add(entry);
    }

    private static SegmentStore open(WalFiles files) throws IOException {
        return SegmentStore.open(files, StoreScript.NODE, OPTIONS);
    }

    private void assertWhole(SegmentStore store) {
        assertThat(store.read(REGION, 1, written.size(), Long.MAX_VALUE)).isEqualTo(written);
    }

    @Test
    void smallAndLargeBatchesFollowEachOtherInOneFile(@TempDir Path folder) throws IOException {
        WalFiles files = new DiskWalFiles(folder);
        SegmentStore store = open(files);
        store.putMeta(REGION, VoterMeta.getDefaultInstance());
        store.commit();
        for (int i = 0; i < 150; i++) {
            for (int entries = random.nextInt(4); entries >= 0; entries--) {
                append(store, random.nextInt(random.chance(0.5) ? 700 : 20_000));
            }
            store.commit(0, random.chance(0.1));
            store.maintain(0);
            if (i % 10 == 9) {
                assertWhole(store);
            }
            if (random.chance(0.1)) {
                store.close();
                store = open(files);
            }
        }
        assertThat(store.stats().segments()).isGreaterThan(3);
        store.close();
        store = open(files);
        assertWhole(store);
        store.close();
    }

    @Test
    void aFileSystemThatCannotIsWrittenThroughItsCache(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("file");
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            CacheBypass bypass = new CacheBypass();
            // Not a whole block: refused, as by a disk with larger ones.
            FileChannel direct = bypass.open(file);
            boolean done =
                    direct != null && bypass.write(direct, 0, ByteBuffer.allocateDirect(100));
            assertThat(done).isFalse();
            assertThat(bypass.open(file)).as("not tried again").isNull();
            assertThat(channel.size()).isZero();
            if (direct != null) {
                direct.close();
            }
        }
    }
}
