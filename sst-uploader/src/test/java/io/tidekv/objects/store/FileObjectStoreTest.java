package io.tidekv.objects.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.time.SystemClock;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FileObjectStoreTest extends ObjectStoreContract {
    private Path folder() {
        return temp.resolve("deep/down/objects");
    }

    @Override
    ObjectStore open() {
        return ObjectStores.open("file:" + folder());
    }

    @Test
    void outlivesTheProcess() {
        open().putIfAbsent("a/b", bytes(100, 1));
        assertThat(open().get("a/b", 100)).isEqualTo(bytes(100, 1));
    }

    @Test
    void everyDamageToAFileIsFound() throws IOException {
        ObjectStore store = open();
        byte[] content = bytes(40, 1);
        store.putIfAbsent("a/b", content);
        Path file = folder().resolve("a/b");
        byte[] whole = Files.readAllBytes(file);
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << (bit % 8));
            Files.write(file, flipped);
            assertDamaged(store, content);
        }
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertDamaged(store, content);
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertDamaged(store, content);
    }

    private void assertDamaged(ObjectStore store, byte[] content) {
        Path target = temp.resolve("target");
        assertFails(Kind.CORRUPT, () -> store.get("a/b", 1000));
        assertFails(Kind.CORRUPT, () -> store.getToFile("a/b", target));
        assertThat(target).doesNotExist();
        // A writer must not take damage for its own object.
        assertFails(Kind.CORRUPT, () -> store.putIfAbsent("a/b", content));
    }

    @Test
    void passesOverWhatIsNoObject() throws IOException {
        ObjectStore store = open();
        store.putIfAbsent("a/b", bytes(10, 1));
        Path folder = folder().resolve("a");
        Files.write(folder.resolve(".tmp-left-behind"), new byte[5]);
        Files.write(folder.resolve("with space"), new byte[5]);
        Files.write(folder.resolve("ümlaut"), new byte[5]);
        Files.createDirectories(folder.resolve("empty/.hidden"));
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("b"));
        Files.createSymbolicLink(folder.resolve("loop"), folder());
        assertThat(store.list("", "", 100)).extracting(ObjectInfo::name).containsExactly("a/b");
    }

    @Test
    void listsForeignAndDamagedFilesWithoutAChecksum() throws IOException {
        ObjectStore store = open();
        store.putIfAbsent("a/b", bytes(10, 1));
        Files.write(folder().resolve("a/foreign"), new byte[5]);
        assertThat(store.list("", "", 100))
                .usingRecursiveFieldByFieldElementComparatorIgnoringFields("modifiedMillis")
                .containsExactly(
                        new ObjectInfo("a/b", 10, Checksums.crc32c(bytes(10, 1))),
                        new ObjectInfo("a/foreign", 5, null));
    }

    @Test
    void leavesNoTemporaryFiles() throws IOException {
        ObjectStore store = open();
        store.putIfAbsent("a/b", bytes(10, 1));
        store.putIfAbsent("a/b", bytes(10, 1));
        assertFails(Kind.ALREADY_EXISTS, () -> store.putIfAbsent("a/b", bytes(10, 2)));
        Path file = Files.write(temp.resolve("source"), bytes(1000, 3));
        assertFails(Kind.CORRUPT, () -> store.putFileIfAbsent("a/c", file, 0));
        try (Stream<Path> files = Files.list(folder().resolve("a"))) {
            assertThat(files).containsExactly(folder().resolve("a/b"));
        }
        assertThat(folder().resolve(".tmp")).isEmptyDirectory();
    }

    @Test
    void removesOnlyWhatNobodyWorksOn() throws IOException {
        open();
        Path old = Files.write(folder().resolve(".tmp/old"), new byte[5]);
        Path fresh = Files.write(folder().resolve(".tmp/fresh"), new byte[5]);
        Instant now = Instant.ofEpochMilli(SystemClock.INSTANCE.wallMillis());
        Files.setLastModifiedTime(old, FileTime.from(now.minus(Duration.ofMinutes(61))));
        open();
        assertThat(old).doesNotExist();
        assertThat(fresh).exists();
    }

    @Test
    void refusesNamesThatCollideWithFolders() {
        ObjectStore store = open();
        store.putIfAbsent("a/b", bytes(10, 1));
        assertFails(Kind.INVALID, () -> store.putIfAbsent("a", bytes(10, 1)));
        assertFails(Kind.INVALID, () -> store.putIfAbsent("a/b/c", bytes(10, 1)));
        assertThat(store.head("a")).isNull();
        assertThat(store.head("a/b/c")).isNull();
        assertFails(Kind.NOT_FOUND, () -> store.get("a", 10));
        assertFails(Kind.NOT_FOUND, () -> store.get("a/b/c", 10));
        store.delete("a");
        assertThat(store.get("a/b", 10)).isEqualTo(bytes(10, 1));
    }

    @Test
    void saysWhatToDoAboutAFullDisk() {
        ObjectStoreException full =
                StoreErrors.failed("a", "write it", new IOException("No space left on device"));
        assertThat(full.kind()).isEqualTo(Kind.FULL);
        assertThat(full).hasMessageContaining("free some");
    }
}
