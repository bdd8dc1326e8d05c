package io.tidekv.objects.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidekv.common.Threads;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every object store must do. Large files are large enough to be sent in parts. */
abstract class ObjectStoreContract {
    @TempDir Path temp;
    private ObjectStore store;

    /** An empty store. */
    abstract ObjectStore open();

    /** Length from which on the store treats a file as large. */
    long largeBytes() {
        return 1 << 20;
    }

    /** Whether {@code head} knows checksums without reading. */
    boolean knowsChecksums() {
        return true;
    }

    private void assertChecksum(ObjectInfo head, byte[] content) {
        Integer known = knowsChecksums() ? Checksums.crc32c(content) : null;
        assertThat(head.crc32c()).isEqualTo(known);
    }

    @BeforeEach
    void openStore() {
        store = open();
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static void assertFails(Kind kind, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ObjectStoreException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void givesBackWhatWasPut() {
        for (int length : new int[] {0, 1, 17, 100_000}) {
            byte[] bytes = bytes(length, length);
            String name = "sst/1/2-" + length + ".sst";
            store.putIfAbsent(name, bytes);
            assertThat(store.get(name, length)).isEqualTo(bytes);
            ObjectInfo head = store.head(name);
            assertThat(head).isNotNull();
            assertThat(head.length()).isEqualTo(length);
            assertChecksum(head, bytes);
        }
    }

    @Test
    void takesTheSameContentTwiceAndNoOther() {
        byte[] first = bytes(1000, 1);
        store.putIfAbsent("record/1/1-1-a", first);
        store.putIfAbsent("record/1/1-1-a", first);
        for (byte[] other :
                List.of(bytes(1000, 2), bytes(999, 1), new byte[0], Arrays.copyOf(first, 999))) {
            assertThatThrownBy(() -> store.putIfAbsent("record/1/1-1-a", other))
                    .isInstanceOfSatisfying(
                            ObjectStoreException.class,
                            e -> {
                                assertThat(e.kind()).isEqualTo(Kind.ALREADY_EXISTS);
                                assertThat(e.object()).isEqualTo("record/1/1-1-a");
                            });
        }
        assertThat(store.get("record/1/1-1-a", 1000)).isEqualTo(first);
    }

    @Test
    void ofManyWritersExactlyOneWins() throws Exception {
        ExecutorService threads = Threads.pool("racer", 8, 8);
        for (int round = 0; round < 10; round++) {
            String name = "race/" + round;
            CountDownLatch go = new CountDownLatch(1);
            List<Future<Boolean>> racers = new ArrayList<>();
            for (int racer = 0; racer < 8; racer++) {
                byte[] mine = bytes(500, racer);
                racers.add(
                        threads.submit(
                                () -> {
                                    go.await();
                                    try {
                                        store.putIfAbsent(name, mine);
                                        return true;
                                    } catch (ObjectStoreException e) {
                                        assertThat(e.kind()).isEqualTo(Kind.ALREADY_EXISTS);
                                        return false;
                                    }
                                }));
            }
            go.countDown();
            int winner = -1;
            for (int racer = 0; racer < 8; racer++) {
                if (racers.get(racer).get()) {
                    assertThat(winner).as("a second winner").isEqualTo(-1);
                    winner = racer;
                }
            }
            assertThat(store.get(name, 500)).isEqualTo(bytes(500, winner));
        }
        threads.shutdown();
    }

    @Test
    void readsRanges() {
        byte[] bytes = bytes(10_000, 3);
        store.putIfAbsent("a/b", bytes);
        assertThat(store.getRange("a/b", 0, 10_000)).isEqualTo(bytes);
        assertThat(store.getRange("a/b", 5_000, 100))
                .isEqualTo(Arrays.copyOfRange(bytes, 5_000, 5_100));
        assertThat(store.getRange("a/b", 9_999, 1)).isEqualTo(new byte[] {bytes[9_999]});
        assertThat(store.getRange("a/b", 10_000, 0)).isEmpty();
        assertFails(Kind.CORRUPT, () -> store.getRange("a/b", 9_999, 2));
        assertFails(Kind.CORRUPT, () -> store.getRange("a/b", 10_000, 1));
        assertFails(Kind.CORRUPT, () -> store.getRange("a/b", 1L << 40, 1));
        assertFails(Kind.CORRUPT, () -> store.getRange("a/b", 10_001, 0));
        assertFails(Kind.INVALID, () -> store.getRange("a/b", -1, 1));
        assertFails(Kind.INVALID, () -> store.getRange("a/b", 0, -1));
    }

    @Test
    void namesWhatIsMissing() {
        Path target = temp.resolve("target");
        assertThat(store.head("no/such")).isNull();
        List<ThrowingCallable> reads =
                List.of(
                        () -> store.get("no/such", 10),
                        () -> store.getRange("no/such", 0, 1),
                        () -> store.getRange("no/such", 0, 0),
                        () -> store.getToFile("no/such", target));
        for (ThrowingCallable read : reads) {
            assertThatThrownBy(read)
                    .isInstanceOfSatisfying(
                            ObjectStoreException.class,
                            e -> {
                                assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
                                assertThat(e.object()).endsWith("no/such");
                                assertThat(e).hasMessageContaining("no/such");
                            });
        }
        assertThat(target).doesNotExist();
    }

    @Test
    void writesToFiles() throws Exception {
        byte[] bytes = bytes(300_000, 4);
        store.putIfAbsent("x/y", bytes);
        Path target = temp.resolve("target");
        ObjectInfo info = store.getToFile("x/y", target);
        assertUndated(info, new ObjectInfo("x/y", 300_000, Checksums.crc32c(bytes)));
        assertThat(Files.readAllBytes(target)).isEqualTo(bytes);
        assertFails(Kind.INVALID, () -> store.getToFile("x/y", target));
        assertThat(Files.readAllBytes(target)).isEqualTo(bytes);
    }

    @Test
    void refusesToReadMoreThanAllowed() {
        store.putIfAbsent("big", bytes(1001, 5));
        assertFails(Kind.CORRUPT, () -> store.get("big", 1000));
        assertThat(store.get("big", 1001)).hasSize(1001);
    }

    @Test
    void storesFilesSmallAndLarge() throws Exception {
        for (int length : new int[] {0, 5_000, (int) (2 * largeBytes() + 12_345)}) {
            byte[] bytes = bytes(length, length);
            Path file = Files.write(temp.resolve("file" + length), bytes);
            String name = "sst/9/1-" + length;
            store.putFileIfAbsent(name, file, Checksums.crc32c(bytes));
            store.putFileIfAbsent(name, file, Checksums.crc32c(bytes));
            Path back = temp.resolve("back" + length);
            assertThat(store.getToFile(name, back).crc32c()).isEqualTo(Checksums.crc32c(bytes));
            assertThat(Files.mismatch(file, back)).isEqualTo(-1);
            ObjectInfo head = store.head(name);
            assertThat(head).isNotNull();
            assertThat(head.length()).isEqualTo(length);
            assertChecksum(head, bytes);

            byte[] changed = Arrays.copyOf(bytes, length + 1);
            Path other = Files.write(temp.resolve("other" + length), changed);
            assertFails(
                    Kind.ALREADY_EXISTS,
                    () -> store.putFileIfAbsent(name, other, Checksums.crc32c(changed)));
        }
    }

    @Test
    void refusesFilesThatAreNotWhatTheCallerThinks() throws Exception {
        for (int length : new int[] {5_000, (int) (2 * largeBytes())}) {
            byte[] bytes = bytes(length, 6);
            Path file = Files.write(temp.resolve("file" + length), bytes);
            String name = "sst/3/" + length;
            assertFails(
                    Kind.CORRUPT,
                    () -> store.putFileIfAbsent(name, file, Checksums.crc32c(bytes) + 1));
            assertThat(store.head(name)).isNull();
        }
    }

    @Test
    void listsInOrderAndInPages() {
        List<String> names =
                List.of(
                        "record/1/1-1-a",
                        "record/1/1-2-b",
                        "record/1.x",
                        "record/10/1-1-c",
                        "record/2/1-1-d",
                        "sst/1/1-1-e.sst",
                        "sst/1-1",
                        "zoo");
        names.forEach(name -> store.putIfAbsent(name, name.getBytes(UTF_8)));
        List<String> sorted = names.stream().sorted().toList();
        assertThat(names(store.list("", "", 100))).isEqualTo(sorted);
        assertThat(names(store.list("record/", "", 100))).isEqualTo(sorted.subList(0, 5));
        assertThat(names(store.list("record/1/", "", 100)))
                .containsExactly("record/1/1-1-a", "record/1/1-2-b");
        assertThat(names(store.list("record/1", "", 100)))
                .containsExactly(
                        "record/1.x", "record/1/1-1-a", "record/1/1-2-b", "record/10/1-1-c");
        assertThat(store.list("nothing/", "", 100)).isEmpty();
        for (int limit = 1; limit < 5; limit++) {
            List<String> paged = new ArrayList<>();
            String after = "";
            while (true) {
                List<String> page = names(store.list("", after, limit));
                paged.addAll(page);
                if (page.size() < limit) {
                    break;
                }
                after = page.get(page.size() - 1);
            }
            assertThat(paged).isEqualTo(sorted);
        }
        assertThat(names(store.list("record/", "record/1/zzz", 100)))
                .containsExactly("record/10/1-1-c", "record/2/1-1-d");
        assertThat(store.list("record/", "sst/", 100)).isEmpty();
        assertThat(store.list("zoo", "", 1).get(0).length()).isEqualTo(3);
    }

    static void assertUndated(ObjectInfo actual, ObjectInfo expected) {
        assertThat(actual)
                .usingRecursiveComparison()
                .ignoringFields("modifiedMillis")
                .isEqualTo(expected);
    }

    @Test
    void saysWhenAnObjectWasStored() {
        store.putIfAbsent("a", bytes(10, 1));
        ObjectInfo head = store.head("a");
        assertThat(head.modifiedMillis()).isPositive();
        ObjectInfo listed = store.list("", "", 10).get(0);
        // Some stores tell full seconds only, in one of the two.
        assertThat(listed.modifiedMillis()).isCloseTo(head.modifiedMillis(), within(1000L));
    }

    private static List<String> names(List<ObjectInfo> objects) {
        return objects.stream().map(ObjectInfo::name).toList();
    }

    @Test
    void deletes() {
        store.putIfAbsent("d/1", bytes(10, 1));
        store.delete("d/1");
        store.delete("d/1");
        store.delete("d/never");
        assertThat(store.head("d/1")).isNull();
        assertThat(store.list("d/", "", 10)).isEmpty();
        store.putIfAbsent("d/1", bytes(20, 2));
        assertThat(store.get("d/1", 20)).isEqualTo(bytes(20, 2));
    }

    @Test
    void refusesNamesThatAreNone() {
        List<String> wrong =
                List.of(
                        "",
                        "/",
                        "/a",
                        "a/",
                        "a//b",
                        "..",
                        "a/../b",
                        "./a",
                        "a/.hidden",
                        "a b",
                        "a\\b",
                        "ä",
                        "a\nb",
                        "a\0b",
                        "x".repeat(201),
                        "a/".repeat(500) + "a");
        for (String name : wrong) {
            Path target = temp.resolve("t");
            assertFails(Kind.INVALID, () -> store.putIfAbsent(name, new byte[1]));
            assertFails(Kind.INVALID, () -> store.putFileIfAbsent(name, target, 0));
            assertFails(Kind.INVALID, () -> store.head(name));
            assertFails(Kind.INVALID, () -> store.get(name, 1));
            assertFails(Kind.INVALID, () -> store.getRange(name, 0, 1));
            assertFails(Kind.INVALID, () -> store.getToFile(name, target));
            assertFails(Kind.INVALID, () -> store.delete(name));
            assertFails(Kind.INVALID, () -> store.under(name));
        }
        assertFails(Kind.INVALID, () -> store.list("../", "", 1));
    }

    @Test
    void viewsSeeOnlyTheirOwn() {
        ObjectStore one = store.under("1");
        ObjectStore eleven = store.under("11");
        one.putIfAbsent("a/b", bytes(5, 1));
        eleven.putIfAbsent("a/b", bytes(6, 2));
        assertThat(one.get("a/b", 5)).isEqualTo(bytes(5, 1));
        assertThat(names(one.list("", "", 10))).containsExactly("a/b");
        assertThat(names(store.list("", "", 10))).containsExactly("1/a/b", "11/a/b");
        one.delete("a/b");
        assertThat(one.head("a/b")).isNull();
        one.close();
        assertThat(eleven.head("a/b")).isNotNull();
        assertThat(eleven.under("a").head("b")).isNotNull();
    }
}
