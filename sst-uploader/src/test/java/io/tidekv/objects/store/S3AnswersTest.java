package io.tidekv.objects.store;

import static io.tidekv.objects.store.ObjectStoreContract.bytes;
import static io.tidekv.objects.store.ScriptedS3.error;
import static io.tidekv.objects.store.ScriptedS3.ok;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the s3: store makes of the answers that S3 and its kin give. */
class S3AnswersTest {
    private static final byte[] DATA = bytes(1000, 1);
    private static final String CRC = Checksums.hex(Checksums.crc32c(DATA));
    private static final ScriptedS3.Answer DONE = ok(new byte[0]);

    @TempDir Path temp;
    private final ManualClock clock = new ManualClock();
    private ScriptedS3 server;
    private ObjectStore store;

    @BeforeEach
    void start() throws IOException {
        server = new ScriptedS3();
        StoreContext context =
                new StoreContext(
                        clock,
                        Randomness.seeded(1),
                        time -> clock.advanceMillis(time.toMillis() + 1));
        store = ObjectStores.open(server.uri(), context);
    }

    @AfterEach
    void stop() {
        store.close();
        server.close();
    }

    private static ObjectStoreException failure(Kind kind, ThrowingCallable call) {
        ObjectStoreException[] seen = new ObjectStoreException[1];
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(ObjectStoreException.class, e -> seen[0] = e);
        assertThat(seen[0].kind()).as(seen[0].getMessage()).isEqualTo(kind);
        assertThat(seen[0].getMessage()).doesNotContain("topsecret", "\n");
        return seen[0];
    }

    @Test
    void aPutIsConditionalAndCarriesItsChecksum() {
        server.then(DONE);
        store.putIfAbsent("a/b", DATA);
        Map<String, String> headers = server.headersOf(0);
        assertThat(server.requests()).containsExactly("PUT /bucket/a/b");
        assertThat(headers).containsEntry("if-none-match", "*");
        assertThat(headers).containsEntry("x-amz-meta-tidekv-crc32c", CRC);
        assertThat(headers)
                .containsEntry("x-amz-checksum-crc32c", S3Target.base64(Checksums.crc32c(DATA)));
        assertThat(headers).containsEntry("content-length", "1000");
        assertThat(headers).doesNotContainKey("x-amz-trailer");
        assertThat(headers.get("x-amz-content-sha256")).doesNotContain("STREAMING");
    }

    @Test
    void slowDownIsWaitedFor() {
        server.then(error(503, "SlowDown"), error(503, "SlowDown"), error(500, "InternalError"));
        server.then(DONE);
        store.putIfAbsent("a/b", DATA);
        assertThat(server.requests()).hasSize(4);
    }

    @Test
    void anOutageEndsTheCallAtItsDeadline() {
        long start = clock.wallMillis();
        server.otherwise(error(503, "ServiceUnavailable"));
        ObjectStoreException e = failure(Kind.UNAVAILABLE, () -> store.head("a/b"));
        assertThat(e).hasMessageContaining("503");
        assertThat(Duration.ofMillis(clock.wallMillis() - start))
                .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(16));
        assertThat(server.requests()).hasSizeBetween(5, 20);
    }

    @Test
    void retriesAreBoundedByABudget() {
        server.otherwise(error(503, "SlowDown"));
        for (int i = 0; i < 50; i++) {
            failure(Kind.UNAVAILABLE, () -> store.head("a/b"));
        }
        assertThat(server.requests()).hasSize(150);
    }

    @Test
    void aRefusedConnectionIsUnavailable() {
        server.close();
        failure(Kind.UNAVAILABLE, () -> store.head("a/b"));
    }

    @Test
    void aPutWhoseAnswerWasLostSucceeds() {
        server.then(
                error(500, "InternalError"),
                error(412, "PreconditionFailed"),
                ok(DATA, "x-amz-meta-tidekv-crc32c", CRC));
        store.putIfAbsent("a/b", DATA);
        assertThat(server.requests())
                .containsExactly("PUT /bucket/a/b", "PUT /bucket/a/b", "HEAD /bucket/a/b");
    }

    @Test
    void aTakenNameWithOtherContentIsRefused() {
        server.then(
                error(412, "PreconditionFailed"), ok(DATA, "x-amz-meta-tidekv-crc32c", "00000000"));
        failure(Kind.ALREADY_EXISTS, () -> store.putIfAbsent("a/b", DATA));
    }

    @Test
    void aTakenNameWithoutOurChecksumIsRead() {
        server.then(error(412, "PreconditionFailed"), ok(DATA), ok(DATA));
        store.putIfAbsent("a/b", DATA);
        assertThat(server.requests()).element(2).isEqualTo("GET /bucket/a/b");
    }

    @Test
    void aConflictOfTwoPutsIsTriedAgain() {
        server.then(error(409, "ConditionalRequestConflict"), DONE);
        store.putIfAbsent("a/b", DATA);
        assertThat(server.requests()).hasSize(2);
    }

    @Test
    void whatNobodyCanRepairByWaitingIsNotRetried() {
        server.then(error(403, "SignatureDoesNotMatch"));
        ObjectStoreException e = failure(Kind.FORBIDDEN, () -> store.putIfAbsent("a/b", DATA));
        assertThat(e).hasMessageContaining("SignatureDoesNotMatch").hasMessageContaining("keys");
        server.then(error(403, "RequestTimeTooSkewed"));
        assertThat(failure(Kind.FORBIDDEN, () -> store.get("a/b", 10)))
                .hasMessageContaining("clock");
        server.then(error(404, "NoSuchBucket"));
        assertThat(failure(Kind.INVALID, () -> store.get("a/b", 10)))
                .hasMessageContaining("create the bucket");
        server.then(error(301, "PermanentRedirect"));
        assertThat(failure(Kind.INVALID, () -> store.get("a/b", 10)))
                .hasMessageContaining("region=");
        server.then(error(507, "XMinioStorageFull"));
        failure(Kind.FULL, () -> store.putIfAbsent("a/b", DATA));
        server.then(error(404, "NoSuchKey"));
        failure(Kind.NOT_FOUND, () -> store.get("a/b", 10));
        server.then(error(416, "InvalidRange"));
        server.otherwise(error(416, "InvalidRange"));
        failure(Kind.CORRUPT, () -> store.getRange("a/b", 10, 10));
    }

    @Test
    void anUnknownProfileIsForbidden() {
        String uri = server.uri().replaceAll("&access-key.*", "&profile=tidekv-no-such-profile");
        try (ObjectStore profiled = ObjectStores.open(uri)) {
            assertThat(failure(Kind.FORBIDDEN, () -> profiled.head("a")))
                    .hasMessageContaining("tidekv-no-such-profile");
        }
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void anAbsentBucketIsNotAnAbsentObject() {
        server.then(error(404, ""), error(404, ""));
        failure(Kind.INVALID, () -> store.head("a/b"));
        assertThat(server.requests()).containsExactly("HEAD /bucket/a/b", "HEAD /bucket");
        server.then(error(404, ""), DONE);
        assertThat(store.head("a/b")).isNull();
        server.then(error(404, ""));
        assertThat(store.head("a/b")).isNull();
        assertThat(server.requests()).hasSize(5);
    }

    @Test
    void aFlippedBodyIsReadAgainAndThenRefused() {
        byte[] flipped = DATA.clone();
        flipped[500] ^= 1;
        ScriptedS3.Answer bad = ok(flipped, "x-amz-meta-tidekv-crc32c", CRC);
        server.then(bad, ok(DATA, "x-amz-meta-tidekv-crc32c", CRC));
        assertThat(store.get("a/b", 1000)).isEqualTo(DATA);
        server.then(bad, bad, bad);
        failure(Kind.CORRUPT, () -> store.get("a/b", 1000));
        assertThat(server.requests()).hasSize(5);
        server.then(bad, bad, bad);
        Path target = temp.resolve("t");
        failure(Kind.CORRUPT, () -> store.getToFile("a/b", target));
        assertThat(target).doesNotExist();
    }

    @Test
    void aBodyThatEndsEarlyIsReadAgain() {
        ScriptedS3.Answer cut = new ScriptedS3.Answer(200, Map.of(), bytes(400, 1), 1000);
        server.then(cut, ok(DATA));
        assertThat(store.get("a/b", 1000)).isEqualTo(DATA);
        Path target = temp.resolve("t");
        server.then(cut, ok(DATA));
        assertThat(store.getToFile("a/b", target).crc32c()).isEqualTo(Checksums.crc32c(DATA));
        server.then(cut, cut);
        server.otherwise(error(503, "SlowDown"));
        Path other = temp.resolve("o");
        failure(Kind.UNAVAILABLE, () -> store.getToFile("a/b", other));
        assertThat(other).doesNotExist();
    }

    @Test
    void answersThatAreNoneOfS3sAreErrors() {
        byte[] page = "<html>Welcome to nginx</html>".getBytes(UTF_8);
        server.otherwise(ok(page));
        failure(Kind.UNAVAILABLE, () -> store.list("", "", 10));
        server.otherwise(new ScriptedS3.Answer(200, Map.of(), bytes(100, 1), 100));
        failure(Kind.UNAVAILABLE, () -> store.list("", "", 10));
        server.otherwise(new ScriptedS3.Answer(302, Map.of(), page, page.length));
        failure(Kind.UNAVAILABLE, () -> store.get("a", 10));
    }

    @Test
    void aStoreThatHangsIsGivenUpInTime() {
        S3Limits quick =
                new S3Limits(
                        Duration.ofMillis(500), Duration.ofMillis(200), 1 << 30, 1 << 20, 1 << 20);
        try (ObjectStore impatient =
                new S3ObjectStore(S3Location.parse(server.uri()), StoreContext.system(), quick)) {
            server.otherwise(ok(DATA));
            assertThat(impatient.get("a/b", 1000)).isEqualTo(DATA);
            server.hangInBody();
            assertThat(failure(Kind.UNAVAILABLE, () -> impatient.get("a/b", 1000)))
                    .hasMessageContaining("in time");
            Path target = temp.resolve("t");
            failure(Kind.UNAVAILABLE, () -> impatient.getToFile("a/b", target));
            assertThat(target).doesNotExist();
            server.hang();
            failure(Kind.UNAVAILABLE, () -> impatient.head("a/b"));
            failure(Kind.UNAVAILABLE, () -> impatient.putIfAbsent("a/b", DATA));
        }
    }

    @Test
    void closingEndsCallsUnderWay() throws InterruptedException {
        server.hang();
        ObjectStoreException[] seen = new ObjectStoreException[1];
        Thread caller =
                Threads.start(
                        "caller",
                        () -> seen[0] = failure(Kind.UNAVAILABLE, () -> store.get("a/b", 1000)));
        Awaitility.await().until(() -> server.requests().size() == 1);
        store.close();
        caller.join(5000);
        assertThat(seen[0]).isNotNull();
    }

    @Test
    void aClosedStoreSaysSo() {
        store.close();
        failure(Kind.UNAVAILABLE, () -> store.head("a/b"));
    }
}
