package io.tidekv.objects.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.sync.RequestBody;

/** The contract, with a real MinIO behind it. */
class MinioObjectStoreTest extends ObjectStoreContract {
    private static final S3Limits SMALL_PARTS =
            new S3Limits(Duration.ofSeconds(10), Duration.ofSeconds(8), 1 << 20, 6 << 20, 5 << 20);
    private static final AtomicInteger buckets = new AtomicInteger();

    @TempDir static Path minioFolder;
    private static Minio minio;

    @BeforeAll
    static void startMinio() throws IOException {
        Path binary = MinioServer.binary();
        if (binary != null) {
            minio = MinioServer.start(binary, minioFolder);
        } else if (MinioContainer.isPossible()) {
            minio = MinioContainer.start();
        } else {
            String message =
                    "SKIPPED: s3: is not tested against a real MinIO. Put the binary minio on the"
                            + " PATH, name it with -Dtidekv.minio=… or TIDEKV_MINIO=…, or start"
                            + " Docker";
            System.err.println(message);
            Assumptions.abort(message);
        }
    }

    @AfterAll
    static void stopMinio() {
        if (minio != null) {
            minio.close();
        }
    }

    private static S3Location newBucket() {
        S3Location location = minio.location("bucket-" + buckets.incrementAndGet());
        try (S3Clients.Opened opened = S3Clients.open(location)) {
            opened.client().createBucket(r -> r.bucket(location.bucket()));
        }
        return location;
    }

    @Override
    ObjectStore open() {
        return new S3ObjectStore(newBucket(), StoreContext.system(), SMALL_PARTS);
    }

    @Override
    long largeBytes() {
        return SMALL_PARTS.multipartBytes();
    }

    @Test
    void anAbsentBucketIsAnErrorThatSaysSo() {
        S3Location nowhere = minio.location("no-such-bucket");
        try (ObjectStore store =
                new S3ObjectStore(nowhere, StoreContext.system(), S3Limits.DEFAULT)) {
            assertFails(Kind.INVALID, () -> ObjectStores.probe(store));
            assertFails(Kind.INVALID, () -> store.head("a"));
            assertFails(Kind.INVALID, () -> store.get("a", 1));
            assertFails(Kind.INVALID, () -> store.putIfAbsent("a", new byte[1]));
        }
    }

    @Test
    void wrongKeysAreForbidden() {
        S3Location right = newBucket();
        S3Location wrong =
                new S3Location(
                        right.bucket(),
                        "",
                        right.endpoint(),
                        null,
                        true,
                        true,
                        new S3Location.Keys("tidekv-test", "wrong-secret", null),
                        null);
        try (ObjectStore store =
                new S3ObjectStore(wrong, StoreContext.system(), S3Limits.DEFAULT)) {
            assertFails(Kind.FORBIDDEN, () -> store.putIfAbsent("a", new byte[1]));
            assertFails(Kind.FORBIDDEN, () -> store.get("a", 1));
            assertFails(Kind.FORBIDDEN, () -> store.head("a"));
            assertFails(Kind.FORBIDDEN, () -> ObjectStores.probe(store));
        }
    }

    @Test
    void passesOverForeignKeysAndReadsForeignObjects() {
        S3Location location = newBucket();
        try (S3Clients.Opened opened = S3Clients.open(location);
                ObjectStore store =
                        new S3ObjectStore(location, StoreContext.system(), SMALL_PARTS)) {
            for (String key : new String[] {"with space", "ümlaut", "a/.hidden", "fine"}) {
                opened.client()
                        .putObject(
                                r -> r.bucket(location.bucket()).key(key),
                                RequestBody.fromBytes(bytes(10, 1)));
            }
            assertThat(store.list("", "", 100))
                    .usingRecursiveFieldByFieldElementComparatorIgnoringFields("modifiedMillis")
                    .containsExactly(new ObjectInfo("fine", 10, null));
            assertUndated(store.head("fine"), new ObjectInfo("fine", 10, null));
            assertThat(store.get("fine", 10)).isEqualTo(bytes(10, 1));
            store.putIfAbsent("fine", bytes(10, 1));
            assertFails(Kind.ALREADY_EXISTS, () -> store.putIfAbsent("fine", bytes(10, 2)));
        }
    }

    @Test
    void worksWithoutChecksumHeaders() {
        S3Location with = newBucket();
        S3Location without =
                new S3Location(
                        with.bucket(), "", with.endpoint(), null, true, false, with.keys(), null);
        try (ObjectStore store =
                new S3ObjectStore(without, StoreContext.system(), S3Limits.DEFAULT)) {
            store.putIfAbsent("a", bytes(10, 1));
            assertUndated(store.head("a"), new ObjectInfo("a", 10, Checksums.crc32c(bytes(10, 1))));
        }
    }
}
