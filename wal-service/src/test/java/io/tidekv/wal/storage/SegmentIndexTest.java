package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.wal.core.VoterStorage.Recovered;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A start reads the indexes of full segments, and the segments where there are none. */
class SegmentIndexTest {
    private final MemoryWalFiles files = new MemoryWalFiles();
    private final Map<String, Long> bytesRead = new HashMap<>();
    private List<Recovered> expected = List.of();
    private List<String> indexes = List.of();

    @BeforeEach
    void aNodeHasRun() throws IOException {
        try (SegmentStore store = open()) {
            new StoreScript(6, 400).run(store, new int[1]);
            expected = store.recover();
        }
        indexes = files.list().stream().filter(name -> name.endsWith(".idx")).toList();
        assertThat(indexes).hasSizeGreaterThan(1);
        bytesRead.clear();
        files.setFault(
                (call, name) -> {
                    if (call == MemoryWalFiles.Call.READ) {
                        bytesRead.merge(name, 1L, Long::sum);
                    }
                });
    }

    private SegmentStore open() throws IOException {
        return SegmentStore.open(files, StoreScript.NODE, new StorageOptions(2048, 0));
    }

    private static String segmentOf(String index) {
        return index.replace(".idx", ".wal");
    }

    @Test
    void aStartReadsTheIndexInPlaceOfTheSegment() throws IOException {
        try (SegmentStore store = open()) {
            assertThat(store.recover()).isEqualTo(expected);
        }
        for (String index : indexes) {
            assertThat(bytesRead.get(segmentOf(index))).as("the header only").isEqualTo(1);
        }
    }

    @Test
    void aDamagedIndexIsNotBelieved() throws IOException {
        for (String index : indexes) {
            files.rot(index, files.sizeOf(index) / 2);
        }
        try (SegmentStore store = open()) {
            assertThat(store.recover()).isEqualTo(expected);
        }
        assertThat(bytesRead.get(segmentOf(indexes.get(0)))).isGreaterThan(1);
    }

    @Test
    void aMissingIndexIsNoLoss() throws IOException {
        for (String index : indexes) {
            files.delete(index);
        }
        try (SegmentStore store = open()) {
            assertThat(store.recover()).isEqualTo(expected);
        }
    }

    @Test
    void anIndexOfAnotherSegmentIsNotBelieved() throws IOException {
        files.rename(indexes.get(0), "kept");
        for (String index : indexes.subList(1, indexes.size())) {
            files.delete(index);
        }
        files.rename("kept", indexes.get(indexes.size() - 1));
        try (SegmentStore store = open()) {
            assertThat(store.recover()).isEqualTo(expected);
        }
    }

    @Test
    void whatTheIndexHidesIsFoundOnReading() throws IOException {
        for (String index : indexes) {
            String segment = segmentOf(index);
            for (long at = SegmentHeader.BLOCK; at < files.sizeOf(segment); at += 64) {
                files.rot(segment, at);
            }
        }
        try (SegmentStore store = open()) {
            assertThatThrownBy(() -> StoreScript.read(store))
                    .hasMessageContaining("a record has changed");
            assertThatThrownBy(store::reopen).isInstanceOf(StorageDamageException.class);
        }
    }
}
