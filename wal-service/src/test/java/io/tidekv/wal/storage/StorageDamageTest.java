package io.tidekv.wal.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.wal.storage.MemoryWalFiles.Crash;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Disks that change what they were given. */
class StorageDamageTest {
    private final MemoryWalFiles files = new MemoryWalFiles();
    private final StoreScript script = new StoreScript(5, 200);

    private static SegmentStore open(MemoryWalFiles files) throws IOException {
        return SegmentStore.open(files, StoreScript.NODE, StoreScript.OPTIONS);
    }

    private static MemoryWalFiles copy(MemoryWalFiles files) {
        return files.crashed(Crash.ALL_KEPT, Randomness.seeded(1));
    }

    private SegmentStore run() throws IOException {
        SegmentStore store = open(files);
        script.run(store, new int[1]);
        return store;
    }

    @Test
    void everyChangedByteBehindAMarkIsFound() throws IOException {
        SegmentStore store = run();
        store.mark();
        Map<Long, StoreScript.Region> all = StoreScript.read(store);
        int refused = 0;
        for (String name : files.list()) {
            for (long offset = 0; offset < files.sizeOf(name); offset += 3) {
                MemoryWalFiles rotten = copy(files);
                rotten.rot(name, offset);
                try (SegmentStore found = open(rotten)) {
                    while (found.verify(1000)) {
                        assertThat(found.stats().segments()).isPositive();
                    }
                    // The bytes between batches carry nothing.
                    assertThat(StoreScript.read(found)).as(name + ":" + offset).isEqualTo(all);
                } catch (StorageDamageException e) {
                    refused++;
                    assertThat(e.file()).isEqualTo(name);
                    assertThat(e.offset()).isLessThanOrEqualTo(offset);
                    assertThat(e).hasMessageContaining(name).hasMessageContaining("new WAL node");
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining(name);
                    refused++;
                }
            }
        }
        assertThat(refused).isGreaterThan(1000);
    }

    @Test
    void aMissingSegmentIsFound() throws IOException {
        run();
        List<String> names = files.list().stream().filter(name -> name.endsWith(".wal")).toList();
        assertThat(names).hasSizeGreaterThan(1);
        for (String name : names.subList(0, names.size() - 1)) {
            MemoryWalFiles poorer = copy(files);
            poorer.delete(name);
            assertThatThrownBy(() -> open(poorer))
                    .isInstanceOf(StorageDamageException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining("missing");
        }
    }

    @Test
    void damageUnderALiveNodeIsFoundByReading() throws IOException {
        SegmentStore store = run();
        var region =
                store.recover().stream()
                        .filter(one -> one.lastIndex() > one.meta().getSnapshot().getIndex())
                        .findFirst()
                        .orElseThrow();
        for (String name : files.list().stream().filter(file -> file.endsWith(".wal")).toList()) {
            for (long at = 512; at < files.sizeOf(name); at += 16) {
                files.rot(name, at);
            }
        }
        long last = region.lastIndex();
        assertThatThrownBy(() -> store.read(region.regionId(), last, last, 100))
                .hasMessageContaining("a record has changed");
        assertThatThrownBy(() -> store.putMeta(1, region.meta()))
                .hasMessageContaining("the storage has failed");
    }

    @Test
    void foreignFilesAreRefused() throws IOException {
        run();
        assertThatThrownBy(
                        () -> SegmentStore.open(copy(files), new UUID(1, 1), StoreScript.OPTIONS))
                .hasMessageContaining("belongs to another WAL node");
    }
}
