package io.tidekv.objects.store;

import static io.tidekv.objects.store.ObjectStoreContract.assertFails;
import static io.tidekv.objects.store.ObjectStoreContract.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.FaultProxy.Fault;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The faults of docs/object-store.md through HTTP, with a real MinIO behind: what was acknowledged
 * is there, whole and as it was written; nothing has to be done for that by hand. Pauses between
 * attempts take no time.
 */
class MinioFaultsTest {
    private static final S3Limits LIMITS =
            new S3Limits(Duration.ofHours(1), Duration.ofSeconds(20), 1 << 20, 6 << 20, 5 << 20);
    private static final String BUCKET = "faults";

    @TempDir static Path minioFolder;
    private static Minio minio;

    @TempDir Path temp;
    private final ManualClock clock = new ManualClock();
    private FaultProxy proxy;
    private ObjectStore store;
    private ObjectStore direct;

    @BeforeAll
    static void startMinio() throws IOException {
        Path binary = MinioServer.binary();
        if (binary == null) {
            String message =
                    "SKIPPED: faults of s3: are not tested in front of a real MinIO. Put the binary"
                            + " minio on the PATH or into ~/.cache/tidekv/bin";
            System.err.println(message);
            Assumptions.abort(message);
        }
        minio = MinioServer.start(binary, minioFolder);
        S3Location location = minio.location(BUCKET);
        try (S3Clients.Opened opened = S3Clients.open(location)) {
            opened.client().createBucket(r -> r.bucket(BUCKET));
        }
    }

    @AfterAll
    static void stopMinio() {
        if (minio != null) {
            minio.close();
        }
    }

    @BeforeEach
    void open() throws IOException {
        proxy = new FaultProxy(minio.endpoint(), Randomness.seeded(11));
        store = through(proxy.endpoint());
        direct = through(minio.endpoint());
    }

    private ObjectStore through(String endpoint) {
        String uri =
                "s3://"
                        + BUCKET
                        + "?endpoint="
                        + endpoint
                        + "&access-key="
                        + Minio.KEY
                        + "&secret-key="
                        + Minio.SECRET;
        StoreContext context =
                new StoreContext(
                        clock,
                        Randomness.seeded(3),
                        pause -> clock.advanceMillis(pause.toMillis() + 1));
        return new S3ObjectStore(S3Location.parse(uri), context, LIMITS);
    }

    @AfterEach
    void close() {
        store.close();
        direct.close();
        proxy.close();
    }

    @Test
    void aStormIsWaitedFor() {
        for (int i = 0; i < 30; i++) {
            proxy.next(i % 3 == 0 ? Fault.INTERNAL_ERROR : Fault.SLOW_DOWN);
        }
        store.putIfAbsent("storm/a", bytes(1000, 1));
        assertThat(direct.get("storm/a", 1000)).isEqualTo(bytes(1000, 1));
        assertThat(proxy.done()).containsEntry(Fault.SLOW_DOWN, 20);
    }

    @Test
    void aPutIsDoneOnceWhateverIsLost() {
        proxy.next(Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.LOST_ANSWER);
        store.putIfAbsent("lost/a", bytes(1000, 1));
        assertThat(direct.get("lost/a", 1000)).isEqualTo(bytes(1000, 1));
        proxy.next(Fault.LOST_ANSWER);
        assertFails(Kind.ALREADY_EXISTS, () -> store.putIfAbsent("lost/a", bytes(1000, 2)));
        assertThat(direct.get("lost/a", 1000)).isEqualTo(bytes(1000, 1));
    }

    @Test
    void aPutInPartsIsDoneOnceWhateverIsLost() throws IOException {
        byte[] content = bytes(11 << 20, 5);
        Path file = Files.write(temp.resolve("large"), content);
        for (int at = 0; at < 6; at++) {
            for (Fault fault : List.of(Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.SLOW_DOWN)) {
                if (fault == Fault.LOST_ANSWER || at % 2 == 0) {
                    String name = "parts/" + fault + at;
                    proxy.skip(at);
                    proxy.next(fault);
                    store.putFileIfAbsent(name, file, Checksums.crc32c(content));
                    Path back = temp.resolve("back-" + fault + at);
                    assertThat(direct.getToFile(name, back).crc32c())
                            .isEqualTo(Checksums.crc32c(content));
                    Files.delete(back);
                }
            }
        }
    }

    @Test
    void aConflictIsTriedAgain() {
        proxy.next(Fault.CONFLICT, Fault.CONFLICT);
        store.putIfAbsent("conflict/a", bytes(10, 1));
        assertThat(direct.head("conflict/a")).isNotNull();
    }

    @Test
    void expiredCredentialsAreSaidAndOverWhenTheyAreRenewed() {
        proxy.next(Fault.EXPIRED);
        assertFails(Kind.FORBIDDEN, () -> store.putIfAbsent("expired/a", bytes(10, 1)));
        assertThat(direct.head("expired/a")).isNull();
        store.putIfAbsent("expired/a", bytes(10, 1));
        assertThat(store.get("expired/a", 10)).isEqualTo(bytes(10, 1));
    }

    @Test
    void bodiesThatAreShortOrWrongAreReadAgain() {
        byte[] content = bytes(300_000, 9);
        direct.putIfAbsent("body/a", content);
        proxy.next(Fault.SHORT_BODY, Fault.SHORT_BODY, Fault.FLIPPED_BIT);
        assertThat(store.get("body/a", 300_000)).isEqualTo(content);
        proxy.next(Fault.SHORT_BODY);
        assertThat(store.getRange("body/a", 7, 100_000)).hasSize(100_000);
        proxy.next(Fault.FLIPPED_BIT, Fault.FLIPPED_BIT, Fault.FLIPPED_BIT);
        assertFails(Kind.CORRUPT, () -> store.get("body/a", 300_000));
    }

    @Test
    void aListingIsWholeWhileOthersWriteAndDelete() {
        for (int i = 0; i < 40; i++) {
            direct.putIfAbsent("list/" + (100 + i), bytes(5, i));
        }
        proxy.atRandom(0.2, Fault.SLOW_DOWN, Fault.LOST_ANSWER, Fault.SHORT_BODY);
        List<String> seen = new ArrayList<>();
        String after = "";
        List<ObjectInfo> page;
        do {
            page = store.list("list/", after, 7);
            for (ObjectInfo info : page) {
                after = info.name();
                seen.add(after);
            }
            direct.putIfAbsent("list/new" + seen.size(), bytes(5, 1));
            direct.putIfAbsent("list/000" + seen.size(), bytes(5, 1));
            direct.delete("list/000" + seen.size());
        } while (!page.isEmpty() && seen.size() < 200);
        assertThat(seen).doesNotHaveDuplicates().isSorted();
        for (int i = 0; i < 40; i++) {
            assertThat(seen).contains("list/" + (100 + i));
        }
    }

    @Test
    void ofTwoLiveUploadersOneHasTheName() throws Exception {
        proxy.atRandom(0.3, Fault.SLOW_DOWN, Fault.LOST_ANSWER, Fault.LOST_REQUEST, Fault.CONFLICT);
        ExecutorService threads = Threads.pool("uploaders", 2, 10);
        try (ObjectStore zombie = through(proxy.endpoint())) {
            for (int i = 0; i < 20; i++) {
                String name = "race/" + i;
                Future<Boolean> one = threads.submit(put(store, name, bytes(500, i)));
                Future<Boolean> two = threads.submit(put(zombie, name, bytes(500, 1000 + i)));
                assertThat(one.get() ^ two.get()).as("one of two").isTrue();
                byte[] there = direct.get(name, 500);
                assertThat(there).isEqualTo(one.get() ? bytes(500, i) : bytes(500, 1000 + i));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static Callable<Boolean> put(ObjectStore into, String name, byte[] content) {
        return () -> {
            try {
                into.putIfAbsent(name, content);
                return true;
            } catch (ObjectStoreException e) {
                assertThat(e.kind()).isEqualTo(Kind.ALREADY_EXISTS);
                return false;
            }
        };
    }
}
