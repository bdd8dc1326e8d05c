package io.tidekv.objects.upload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.TestRecords;
import io.tidekv.objects.hydrate.CacheMetrics;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.manifest.RecordCodec;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.Faults.Moment;
import io.tidekv.objects.store.Faults.Operation;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UploaderTest {
    @TempDir Path temp;
    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore base = new MemoryObjectStore();
    private final Faults faults = new Faults(Randomness.seeded(1));
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private final FaultyObjectStore store =
            new FaultyObjectStore(base, faults, time -> gate.await());
    private SstCache cache;
    private Uploader uploader;

    @BeforeEach
    void open() {
        StoreContext context =
                new StoreContext(
                        clock,
                        Randomness.seeded(2),
                        time -> clock.advanceMillis(time.toMillis() + 1));
        cache = SstCache.open(store, CacheOptions.of(temp.resolve("cache"), 1 << 20), context);
        UploadOptions options = new UploadOptions(2, 3, Duration.ofSeconds(30));
        uploader = new Uploader(store, cache, options, context);
    }

    @AfterEach
    void close() {
        uploader.close();
        cache.close();
    }

    private Path file(int length) throws IOException {
        byte[] bytes = new byte[length];
        bytes[0] = 5;
        return Files.write(temp.resolve("0000" + length + ".sst"), bytes);
    }

    private static Kind kind(Throwable e) {
        assertThat(e).isInstanceOf(ObjectStoreException.class);
        return ((ObjectStoreException) e).kind();
    }

    @Test
    void uploadsFilesUnderFreshNamesAndKeepsThem() throws IOException {
        Path file = file(1000);
        ObjectRef first = uploader.uploadSst(7, 3, 12, file);
        ObjectRef second = uploader.uploadSst(7, 3, 12, file);
        assertThat(first.getKey()).matches("sst/7/3-12-[0-9a-f-]{36}\\.sst");
        assertThat(second.getKey()).isNotEqualTo(first.getKey());
        assertThat(first.getLength()).isEqualTo(1000);
        assertThat(first.getOffset()).isZero();
        assertThat(first.getCrc32C()).isEqualTo(Checksums.crc32c(file));
        assertThat(base.get(first.getKey(), 1000)).isEqualTo(Files.readAllBytes(file));
        assertThat(cache.ifPresent(first)).isNotNull();
        assertThat(Files.getAttribute(file, "unix:nlink")).isEqualTo(3);
        assertThat(uploader.stats().uploads()).isEqualTo(2);
        assertThat(uploader.stats().uploadedBytes()).isEqualTo(2000);
        assertThat(uploader.stats().waiting()).isZero();
    }

    @Test
    void uploadsRecords() {
        TabletRecord record = TestRecords.record(9).build();
        ObjectRef ref = uploader.uploadRecord(record);
        assertThat(ref.getKey()).matches("record/9/5-2-[0-9a-f-]{36}");
        byte[] frame = base.get(ref.getKey(), ref.getLength());
        assertThat(Checksums.crc32c(frame)).isEqualTo(ref.getCrc32C());
        assertThat(RecordCodec.decode(ref.getKey(), frame)).isEqualTo(record);
    }

    @Test
    void passingFailuresAreRetriedUnderTheSameName() throws IOException {
        faults.failNext(Operation.PUT, 3, Kind.UNAVAILABLE, Moment.BEFORE);
        faults.failNext(Operation.PUT, 1, Kind.UNAVAILABLE, Moment.AFTER);
        uploader.uploadSst(7, 3, 12, file(10));
        assertThat(base.list("", "", 10)).hasSize(1);
        assertThat(uploader.stats().retries()).isEqualTo(4);
    }

    @Test
    void whileTheStoreIsDownCallsFailAfterTheirDeadlineAndThenAtOnce() throws IOException {
        Path file = file(10);
        faults.setOutage(true);
        long start = clock.wallMillis();
        assertThatThrownBy(() -> uploader.uploadSst(7, 3, 12, file))
                .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.UNAVAILABLE));
        long deadline = clock.wallMillis();
        assertThat(deadline - start).isBetween(20_000L, 31_000L);
        assertThatThrownBy(() -> uploader.uploadRecord(TestRecords.record(1).build()))
                .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.UNAVAILABLE));
        assertThat(clock.wallMillis()).isEqualTo(deadline);
        faults.setOutage(false);
        uploader.uploadSst(7, 3, 12, file);
        faults.failNext(Operation.PUT, 1, Kind.UNAVAILABLE, Moment.BEFORE);
        uploader.uploadSst(7, 3, 12, file);
        assertThat(uploader.stats().failures()).isEqualTo(2);
    }

    @Test
    void whatWaitingDoesNotRepairFailsAtOnce() throws IOException {
        Path file = file(10);
        long start = clock.wallMillis();
        for (Kind kind : new Kind[] {Kind.FORBIDDEN, Kind.FULL}) {
            faults.failNext(Operation.PUT, 1, kind, Moment.BEFORE);
            assertThatThrownBy(() -> uploader.uploadSst(7, 3, 12, file))
                    .satisfies(e -> assertThat(kind(e)).isEqualTo(kind));
        }
        assertThatThrownBy(() -> uploader.uploadSst(7, 3, 12, temp.resolve("absent")))
                .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.INVALID));
        assertThat(clock.wallMillis()).isEqualTo(start);
    }

    @Test
    void countsWhatWaitsAndRefusesMoreThanItsQueueHolds() throws IOException {
        gate = new CountDownLatch(1);
        faults.setLatency(Duration.ofMillis(1));
        Path file = file(100);
        List<CompletableFuture<ObjectRef>> uploads = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            uploads.add(uploader.uploadSstAsync(7, 3, i, file));
        }
        clock.advanceMillis(500);
        assertThat(uploader.stats().waiting()).isEqualTo(5);
        assertThat(uploader.stats().waitingBytes()).isEqualTo(500);
        assertThat(uploader.stats().lagMillis()).isEqualTo(500);
        CompletableFuture<ObjectRef> tooMuch = uploader.uploadSstAsync(7, 3, 9, file);
        assertThatThrownBy(tooMuch::join)
                .cause()
                .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.UNAVAILABLE));
        gate.countDown();
        uploads.forEach(CompletableFuture::join);
        assertThat(uploader.stats().waiting()).isZero();
        assertThat(uploader.stats().lagMillis()).isZero();
    }

    @Test
    void figuresReachPrometheus() throws IOException {
        Metrics metrics = new Metrics();
        UploadMetrics.register(metrics, uploader);
        CacheMetrics.register(metrics, cache);
        uploader.uploadSst(7, 3, 12, file(10));
        assertThat(metrics.expose())
                .contains("tidekv_upload_bytes 10.0", "tidekv_cache_bytes 10.0");
    }

    @Test
    void closingEndsUploads() throws IOException {
        gate = new CountDownLatch(1);
        faults.setLatency(Duration.ofMillis(1));
        Path file = file(100);
        List<CompletableFuture<ObjectRef>> uploads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            uploads.add(uploader.uploadSstAsync(7, 3, i, file));
        }
        Awaitility.await().until(() -> uploader.stats().waiting() == 4);
        uploader.close();
        for (CompletableFuture<ObjectRef> upload : uploads) {
            assertThatThrownBy(upload::join)
                    .cause()
                    .satisfies(e -> assertThat(kind(e)).isEqualTo(Kind.UNAVAILABLE));
        }
        assertThat(base.list("", "", 10)).isEmpty();
    }
}
