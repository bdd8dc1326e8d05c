package io.tidekv.objects.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.objects.crypto.Envelope;
import io.tidekv.objects.crypto.MasterKey;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EncryptedObjectStoreTest extends ObjectStoreContract {
    private final MemoryObjectStore base = new MemoryObjectStore();

    @Override
    ObjectStore open() {
        return encrypted(1);
    }

    @Override
    boolean knowsChecksums() {
        return false;
    }

    private EncryptedObjectStore encrypted(int master) {
        byte[] key = new byte[32];
        key[0] = (byte) master;
        return new EncryptedObjectStore(base, MasterKey.of(key), Randomness.real());
    }

    @Test
    void noPlaintextIsInTheStore() throws Exception {
        byte[] secret = "TOP-SECRET-MARKER ".repeat(20_000).getBytes(UTF_8);
        ObjectStore store = encrypted(1);
        store.putIfAbsent("a", secret);
        Path file = Files.write(temp.resolve("f"), secret);
        store.putFileIfAbsent("b", file, Checksums.crc32c(secret));
        store.putIfAbsent("c", "TOP-SECRET-MARKER".getBytes(UTF_8));
        for (ObjectInfo info : base.list("", "", 100)) {
            String raw =
                    new String(
                            base.get(info.name(), 1 << 20),
                            java.nio.charset.StandardCharsets.ISO_8859_1);
            assertThat(raw).doesNotContain("SECRET").doesNotContain("MARKER");
        }
        assertThat(base.get("a", 1 << 20)).isNotEqualTo(base.get("b", 1 << 20));
    }

    @Test
    void everyRangeOfEveryLength() {
        ObjectStore store = encrypted(1);
        Random random = new Random(4);
        int chunk = Envelope.CHUNK_BYTES;
        for (int length : new int[] {0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 7}) {
            byte[] content = bytes(length, length);
            String name = "range/" + length;
            store.putIfAbsent(name, content);
            assertThat(store.head(name).length()).isEqualTo(length);
            assertThat(store.get(name, length)).isEqualTo(content);
            for (int i = 0; i < 30; i++) {
                int from = random.nextInt(length + 1);
                int count = random.nextInt(length - from + 1);
                assertThat(store.getRange(name, from, count))
                        .isEqualTo(Arrays.copyOfRange(content, from, from + count));
            }
        }
    }

    @Test
    void damageExchangeAndTruncationAreSeen() {
        ObjectStore store = encrypted(1);
        byte[] content = bytes(2 * Envelope.CHUNK_BYTES + 100, 3);
        store.putIfAbsent("x", content);
        store.putIfAbsent("y", bytes(content.length, 4));
        byte[] sealed = base.get("x", 1 << 20);
        for (int at : new int[] {0, 9, 20, 38, 50, sealed.length / 2, sealed.length - 1}) {
            byte[] damaged = sealed.clone();
            damaged[at] ^= 2;
            base.damage("x", damaged);
            ObjectStore fresh = encrypted(1);
            try {
                assertThat(fresh.get("x", 1 << 20)).isEqualTo("never");
            } catch (ObjectStoreException e) {
                assertThat(e.kind()).isIn(Kind.CORRUPT, Kind.FORBIDDEN);
            }
        }
        base.damage("x", Arrays.copyOf(sealed, (int) Envelope.offset(2)));
        assertFails(Kind.CORRUPT, () -> encrypted(1).get("x", 1 << 20));
        base.damage("x", base.get("y", 1 << 20));
        assertFails(Kind.CORRUPT, () -> encrypted(1).get("x", 1 << 20));
        assertFails(Kind.CORRUPT, () -> encrypted(1).getRange("x", 5, 10));
    }

    @Test
    void rotationKeepsWhatIsThereReadable() {
        EncryptedObjectStore store = encrypted(1);
        store.putIfAbsent("old", bytes(100, 1));
        assertThat(store.rotate()).isEqualTo(2);
        store.putIfAbsent("new", bytes(100, 2));
        ObjectStore later = encrypted(1);
        assertThat(later.get("old", 100)).isEqualTo(bytes(100, 1));
        assertThat(later.get("new", 100)).isEqualTo(bytes(100, 2));
        later.putIfAbsent("newer", bytes(1, 1));
        assertThat(Envelope.keyId(base.getRange("newer", 0, Envelope.HEADER_BYTES))).isEqualTo(2);
        assertThat(later.list("", "", 10)).extracting(ObjectInfo::name).doesNotContain("keys/1");
    }

    @Test
    void anotherMasterKeyReadsNothing() {
        encrypted(1).putIfAbsent("a", bytes(100, 1));
        assertFails(Kind.FORBIDDEN, () -> encrypted(2).get("a", 100));
        assertFails(Kind.FORBIDDEN, () -> encrypted(2).putIfAbsent("b", bytes(1, 1)));
    }

    @Test
    void theUriNamesTheMasterKey() throws Exception {
        Path key = Files.writeString(temp.resolve("master"), "ab".repeat(32) + "\n");
        String uri = "file:" + temp.resolve("objects");
        try (ObjectStore store = ObjectStores.open(uri + "?master-key-file=" + key)) {
            store.putIfAbsent("a", bytes(100, 1));
            assertThat(store.get("a", 100)).isEqualTo(bytes(100, 1));
        }
        try (ObjectStore raw = ObjectStores.open(uri)) {
            assertThat(raw.get("a", 1000)).isNotEqualTo(bytes(100, 1)).hasSize(100 + 40 + 16);
        }
        assertFails(Kind.INVALID, () -> ObjectStores.open(uri + "?master-key-file=/no/such"));
    }
}
