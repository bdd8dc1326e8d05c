package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.wal.core.VoterStorage.Recovered;
import io.tidekv.wal.storage.MemoryWalFiles.Crash;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The folder of a stopped node, read as {@code ctl wal check} and {@code dump} do. */
class FolderCheckTest {
    private final MemoryWalFiles files = new MemoryWalFiles();
    private final List<String> lines = new ArrayList<>();
    private final FolderCheck.Listener listener =
            new FolderCheck.Listener() {
                @Override
                public void record(
                        String file,
                        long offset,
                        String kind,
                        long regionId,
                        long index,
                        long term,
                        int bytes) {
                    lines.add(kind + " " + regionId + " " + index);
                }
            };

    @BeforeEach
    void aNodeHasRun() throws IOException {
        NodeIdentity identity = new IdentityFile(files).open(Randomness.seeded(1));
        try (SegmentStore store = SegmentStore.open(files, identity.uuid(), StoreScript.OPTIONS)) {
            new StoreScript(5, 300).run(store, new int[1]);
        }
    }

    private FolderCheck.Findings check() throws IOException {
        return FolderCheck.run(files, listener);
    }

    private List<Recovered> recovered() throws IOException {
        try (SegmentStore store =
                SegmentStore.open(
                        files.crashed(Crash.ALL_KEPT, Randomness.seeded(1)),
                        new IdentityFile(files).existing().uuid(),
                        StoreScript.OPTIONS)) {
            return store.recover();
        }
    }

    private String newest() throws IOException {
        return files.list().stream().filter(name -> name.endsWith(".wal")).reduce("", (a, b) -> b);
    }

    /** The newest segment with batches in it. */
    private String newestFilled() throws IOException {
        return files.list().stream()
                .filter(name -> name.endsWith(".wal") && files.sizeOf(name) > 2048)
                .reduce("", (a, b) -> b);
    }

    @Test
    void aSoundFolderHoldsWhatAStartFinds() throws IOException {
        FolderCheck.Findings found = check();
        assertThat(found.damages()).isEmpty();
        assertThat(found.remarks()).isEmpty();
        assertThat(found.regions()).isEqualTo(recovered());
        assertThat(found.records()).isEqualTo(lines.size()).isPositive();
        assertThat(found.segments()).isGreaterThan(1);
    }

    @Test
    void allDamageIsToldAndWhatLiesBehindIsRead() throws IOException {
        check();
        int sound = lines.size();
        lines.clear();
        String name = newestFilled();
        // Behind the headers of the segment and of its first batch: within a record.
        files.rot(name, SegmentHeader.BLOCK + BatchHeader.SIZE + 20);
        String oldest =
                files.list().stream().filter(one -> one.endsWith(".wal")).findFirst().orElseThrow();
        files.rot(oldest, SegmentHeader.BLOCK + BatchHeader.SIZE + 20);
        FolderCheck.Findings found = check();
        assertThat(found.damages()).hasSizeGreaterThanOrEqualTo(2);
        assertThat(found.damages()).anyMatch(line -> line.startsWith(name + " at byte 512"));
        assertThat(found.damages()).anyMatch(line -> line.startsWith(oldest + " at byte 512"));
        assertThat(found.regions()).isEmpty();
        assertThat(lines.size()).isBetween(sound / 2, sound - 2);
    }

    @Test
    void aTearIsNoDamage() throws IOException {
        String name = newest();
        ByteBuffer torn = ByteBuffer.allocate(SegmentHeader.BLOCK);
        new BatchHeader(1_000, 600, Position.START, 1, 0, 0)
                .encode(
                        torn,
                        new IdentityFile(files).existing().uuid(),
                        SegmentHeader.number(name));
        try (WalFile file = files.open(name)) {
            file.write(file.size(), torn);
        }
        long size = files.sizeOf(name);
        FolderCheck.Findings found = check();
        assertThat(found.damages()).isEmpty();
        assertThat(found.remarks()).singleElement().asString().contains("unfinished batch");
        assertThat(files.sizeOf(name)).as("nothing is changed").isEqualTo(size);
    }

    @Test
    void aMissingSegmentIsDamage() throws IOException {
        List<String> names = files.list().stream().filter(name -> name.endsWith(".wal")).toList();
        files.delete(names.get(1));
        assertThat(check().damages())
                .anyMatch(line -> line.equals(names.get(1) + " at byte 0: the file is missing"));
    }

    @Test
    void anotherFolderIsRefused() {
        assertThatThrownBy(() -> FolderCheck.run(new MemoryWalFiles(), listener))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no identity");
    }
}
