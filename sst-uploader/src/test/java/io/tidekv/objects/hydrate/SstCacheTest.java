package io.tidekv.objects.hydrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.Faults.Moment;
import io.tidekv.objects.store.Faults.Operation;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SstCacheTest {
    @TempDir Path temp;
    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore base = new MemoryObjectStore();
    private final Faults faults = new Faults(Randomness.seeded(1));
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private final ObjectStore store =
            new FaultyObjectStore(
                    base,
                    faults,
                    time -> {
                        gate.await();
                    });
    private SstCache cache;

    @BeforeEach
    void openCache() {
        cache = open(1000);
    }

    @AfterEach
    void closeCache() {
        cache.close();
    }

    private Path folder() {
        return temp.resolve("cache");
    }

    private SstCache open(long bytesMax) {
        CacheOptions options =
                new CacheOptions(
                        folder(), bytesMax, 4, Duration.ofSeconds(10), Duration.ofSeconds(30));
        StoreContext context =
                new StoreContext(
                        clock,
                        Randomness.seeded(2),
                        time -> clock.advanceMillis(time.toMillis() + 1));
        return SstCache.open(store, options, context);
    }

    private ObjectRef put(String key, int length) {
        byte[] bytes = new byte[length];
        new Random(key.hashCode()).nextBytes(bytes);
        base.putIfAbsent(key, bytes);
        return ref(key, bytes);
    }

    private static ObjectRef ref(String key, byte[] bytes) {
        return ObjectRef.newBuilder()
                .setKey(key)
                .setLength(bytes.length)
                .setCrc32C(Checksums.crc32c(bytes))
                .build();
    }

    private byte[] stored(ObjectRef ref) {
        return base.get(ref.getKey(), ref.getLength());
    }

    private static void assertFails(Kind kind, String object, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ObjectStoreException.class,
                        e -> {
                            assertThat(e.kind()).isEqualTo(kind);
                            assertThat(e.object()).isEqualTo(object);
                        });
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(p -> p.getFileName().toString())
                    .filter(n -> !n.startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void fetchesOnceAndKeeps() throws IOException {
        ObjectRef ref = put("sst/1/1-1-a.sst", 100);
        assertThat(cache.ifPresent(ref)).isNull();
        Path path = cache.fetch(ref);
        assertThat(Files.readAllBytes(path)).isEqualTo(stored(ref));
        assertThat(cache.fetch(ref)).isEqualTo(path);
        assertThat(cache.ifPresent(ref)).isEqualTo(path);
        assertThat(cache.stats().fetches()).isEqualTo(1);
        assertThat(cache.stats().bytes()).isEqualTo(100);
        assertThat(files()).containsExactly("sst+1+1-1-a.sst");
    }

    @Test
    void howeverManyWaitThereIsOneFetch() throws Exception {
        ObjectRef ref = put("sst/1/1-1-a.sst", 100);
        gate = new CountDownLatch(1);
        faults.setLatency(Duration.ofMillis(1));
        ExecutorService threads = Threads.pool("waiter", 20, 20);
        List<Future<Path>> waiters = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            waiters.add(threads.submit(() -> cache.fetch(ref)));
        }
        Awaitility.await().until(() -> cache.stats().fetching() == 1);
        gate.countDown();
        for (Future<Path> waiter : waiters) {
            assertThat(waiter.get()).exists();
        }
        threads.shutdown();
        assertThat(cache.stats().fetches()).isEqualTo(1);
    }

    @Test
    void aWaiterThatGivesUpDoesNotDisturbTheOthers() throws Exception {
        ObjectRef ref = put("sst/1/1-1-a.sst", 100);
        gate = new CountDownLatch(1);
        faults.setLatency(Duration.ofMillis(1));
        CompletableFuture<Path> first = cache.fetchAsync(ref);
        CompletableFuture<Path> second = cache.fetchAsync(ref);
        first.cancel(true);
        gate.countDown();
        assertThat(second.get()).exists();
    }

    @Test
    void parts() throws IOException {
        byte[] pack = new byte[1000];
        new Random(1).nextBytes(pack);
        base.putIfAbsent("pack/1-2/u", pack);
        byte[] part = Arrays.copyOfRange(pack, 100, 300);
        ObjectRef ref = ref("pack/1-2/u", part).toBuilder().setOffset(100).build();
        assertThat(Files.readAllBytes(cache.fetch(ref))).isEqualTo(part);
        assertThat(files()).containsExactly("pack+1-2+u@100-200");
    }

    @Test
    void errorsNameTheObjectAndLeaveNothing() throws IOException {
        ObjectRef missing = ref("sst/1/1-1-x.sst", new byte[10]);
        assertFails(Kind.NOT_FOUND, "sst/1/1-1-x.sst", () -> cache.fetch(missing));
        ObjectRef ref = put("sst/1/1-2-a.sst", 100);
        faults.setOutage(true);
        assertFails(Kind.UNAVAILABLE, ref.getKey(), () -> cache.fetch(ref));
        faults.setOutage(false);
        ObjectRef other = ref.toBuilder().setCrc32C(1).build();
        assertFails(Kind.CORRUPT, ref.getKey(), () -> cache.fetch(other));
        ObjectRef longer = ref.toBuilder().setLength(101).build();
        assertFails(Kind.CORRUPT, ref.getKey(), () -> cache.fetch(longer));
        ObjectRef shorter = ref.toBuilder().setLength(99).build();
        assertFails(Kind.CORRUPT, ref.getKey(), () -> cache.fetch(shorter));
        ObjectRef escape = ref.toBuilder().setKey("../../etc/passwd").build();
        assertFails(Kind.INVALID, "", () -> cache.fetch(escape));
        assertThat(files()).isEmpty();
        assertThat(cache.stats().fetching()).isZero();
        assertThat(cache.fetch(ref)).exists();
    }

    @Test
    void passingFailuresAreRetried() {
        ObjectRef ref = put("sst/1/1-1-a.sst", 100);
        faults.failNext(Operation.GET, 2, Kind.UNAVAILABLE, Moment.BEFORE);
        faults.failNext(Operation.GET, 1, Kind.UNAVAILABLE, Moment.AFTER);
        assertThat(cache.fetch(ref)).exists();
        ObjectRef second = put("sst/1/1-2-a.sst", 100);
        faults.flipNextBody();
        faults.cutNextBody();
        assertThat(cache.fetch(second)).hasBinaryContent(stored(second));
        assertThat(faults.injected()).isEqualTo(5);
    }

    @Test
    void evictsTheLeastRecentlyUsedWhenIdle() throws IOException {
        ObjectRef a = put("sst/1/1-1-a.sst", 400);
        ObjectRef b = put("sst/1/1-2-b.sst", 400);
        ObjectRef c = put("sst/1/1-3-c.sst", 400);
        cache.fetch(a);
        cache.fetch(b);
        cache.fetch(c);
        assertThat(files()).as("all were used just now").hasSize(3);
        clock.advanceMillis(31_000);
        cache.fetch(a);
        ObjectRef d = put("sst/1/1-4-d.sst", 400);
        cache.fetch(d);
        assertThat(files()).containsExactly("sst+1+1-1-a.sst", "sst+1+1-4-d.sst");
        assertThat(cache.ifPresent(b)).isNull();
        assertThat(cache.stats().bytes()).isEqualTo(800);
        assertThat(cache.stats().evictions()).isEqualTo(2);
        assertThat(cache.fetch(b)).exists();
    }

    @Test
    void whatIsPinnedOrLinkedStays() throws IOException {
        ObjectRef a = put("sst/1/1-1-a.sst", 600);
        ObjectRef b = put("sst/1/1-2-b.sst", 600);
        ObjectRef c = put("sst/1/1-3-c.sst", 600);
        Pin pin = cache.pin(a);
        cache.fetch(a);
        Path link = temp.resolve("000012.sst");
        cache.link(b, link);
        clock.advanceMillis(31_000);
        cache.fetch(c);
        assertThat(files()).hasSize(3);
        pin.close();
        pin.close();
        clock.advanceMillis(31_000);
        cache.fetch(put("sst/1/1-4-d.sst", 10));
        assertThat(files()).containsExactly("sst+1+1-2-b.sst", "sst+1+1-4-d.sst");
        Files.delete(link);
        clock.advanceMillis(31_000);
        cache.fetch(put("sst/1/1-5-e.sst", 900));
        assertThat(files()).doesNotContain("sst+1+1-2-b.sst");
    }

    @Test
    void rangesComeInFullAndAreNotKept() throws Exception {
        ObjectRef ref = put("sst/1/1-1-r", 500);
        faults.cutNextBody();
        faults.failNext(Operation.GET, 1, Kind.UNAVAILABLE, Moment.BEFORE);
        byte[] range = cache.fetchRange(ref, 100, 50).get();
        assertThat(range).isEqualTo(Arrays.copyOfRange(stored(ref), 100, 150));
        assertThat(files()).isEmpty();
        assertThat(cache.stats().ranges()).isEqualTo(1);
        assertThat(cache.stats().rangeBytes()).isEqualTo(50);
        assertThat(cache.stats().fetches()).isZero();
        assertFails(Kind.CORRUPT, ref.getKey(), () -> rethrow(cache.fetchRange(ref, 480, 50)));
        cache.close();
        assertFails(Kind.UNAVAILABLE, ref.getKey(), () -> rethrow(cache.fetchRange(ref, 0, 1)));
    }

    private static void rethrow(CompletableFuture<?> fetch) throws Throwable {
        try {
            fetch.get();
        } catch (ExecutionException e) {
            throw e.getCause();
        }
    }

    @Test
    void whatOthersHoldCountsTowardsTheBudget() {
        ObjectRef first = put("sst/1/1-1-h", 400);
        ObjectRef second = put("sst/1/1-2-h", 400);
        cache.fetch(first);
        cache.fetch(second);
        List<Long> excess = new ArrayList<>();
        cache.onPressure(() -> excess.add(cache.excessBytes()));
        cache.hold(150);
        assertThat(excess).isEmpty();
        assertThat(cache.stats().bytes()).isEqualTo(950);
        assertThat(cache.stats().partBytes()).isEqualTo(150);
        assertThat(cache.hasRoom(51)).isFalse();
        cache.hold(100);
        assertThat(excess).containsExactly(50L);
        clock.advanceMillis(31_000);
        cache.evict();
        assertThat(cache.stats().bytes()).isEqualTo(650);
        cache.hold(-250);
        assertThat(cache.stats().bytes()).isEqualTo(400);
    }

    @Test
    void linksOnlyWhatIsThere() {
        ObjectRef a = put("sst/1/1-1-a.sst", 100);
        Path link = temp.resolve("000012.sst");
        assertThat(cache.linkIfPresent(a, link)).isFalse();
        cache.fetch(a);
        assertThat(cache.linkIfPresent(a, link)).isTrue();
        assertThat(link).hasBinaryContent(stored(a));
    }

    @Test
    void adoptsUploadedFiles() throws IOException {
        ObjectRef a = put("sst/1/1-1-a.sst", 100);
        Path source = Files.write(temp.resolve("000007.sst"), stored(a));
        cache.adopt(a, source);
        cache.adopt(a, source);
        Files.delete(source);
        assertThat(cache.ifPresent(a)).hasBinaryContent(stored(a));
        assertThat(cache.stats().fetches()).isZero();
        Path wrong = Files.write(temp.resolve("000008.sst"), new byte[5]);
        ObjectRef b = put("sst/1/1-2-b.sst", 100);
        assertFails(Kind.CORRUPT, b.getKey(), () -> cache.adopt(b, wrong));
    }

    @Test
    void afterACleanStopFilesAreTrusted() throws IOException {
        ObjectRef a = put("sst/1/1-1-a.sst", 100);
        Path path = cache.fetch(a);
        cache.close();
        flip(path);
        cache = open(1000);
        // Proof that it was not read: the damage goes unseen.
        assertThat(cache.ifPresent(a)).isEqualTo(path);
    }

    @Test
    void afterACrashFilesAreCheckedBeforeTheirFirstUse() throws IOException {
        ObjectRef a = put("sst/1/1-1-a.sst", 100);
        ObjectRef b = put("sst/1/1-2-b.sst", 100);
        ObjectRef c = put("sst/1/1-3-c.sst", 100);
        Path damaged = cache.fetch(a);
        Path fine = cache.fetch(b);
        Path cut = cache.fetch(c);
        cache.close();
        Files.delete(folder().resolve(".clean"));
        Files.write(folder().resolve("sst+1+1-9-z.sst.part"), new byte[10]);
        flip(damaged);
        Files.write(cut, new byte[50]);
        cache = open(1000);
        assertThat(files()).doesNotContain("sst+1+1-9-z.sst.part").hasSize(3);
        assertThat(cache.ifPresent(a)).isNull();
        assertThat(damaged).doesNotExist();
        assertThat(cache.ifPresent(b)).isEqualTo(fine);
        assertThat(cache.fetch(c)).hasBinaryContent(stored(c));
        assertThat(cache.fetch(a)).hasBinaryContent(stored(a));
        assertThat(cache.stats().damaged()).isEqualTo(2);
        assertThat(cache.stats().bytes()).isEqualTo(300);
    }

    private static void flip(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void aFileThatWasRemovedIsFetchedAgain() throws IOException {
        ObjectRef a = put("sst/1/1-1-a.sst", 100);
        Files.delete(cache.fetch(a));
        assertThat(cache.ifPresent(a)).isNull();
        assertThat(cache.fetch(a)).exists();
    }

    @Test
    void aFolderBelongsToOneCache() {
        assertThatThrownBy(() -> open(1000)).hasMessageContaining("in use");
    }

    @Test
    void closingEndsFetches() {
        ObjectRef ref = put("sst/1/1-1-a.sst", 100);
        gate = new CountDownLatch(1);
        faults.setLatency(Duration.ofMillis(1));
        CompletableFuture<Path> fetch = cache.fetchAsync(ref);
        Awaitility.await().until(() -> cache.stats().fetching() == 1);
        cache.close();
        assertThatThrownBy(fetch::join).hasCauseInstanceOf(ObjectStoreException.class);
        assertFails(Kind.UNAVAILABLE, ref.getKey(), () -> cache.fetch(ref));
    }
}
