package io.tidekv.objects.upload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.ManualClock;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.Faults;
import io.tidekv.objects.store.Faults.Moment;
import io.tidekv.objects.store.Faults.Operation;
import io.tidekv.objects.store.FaultyObjectStore;
import io.tidekv.objects.store.MemoryObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStoreException.Kind;
import io.tidekv.objects.store.Sleeper;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What an owner of a region sees of a store in trouble, one row of the fault table a test: nothing
 * acknowledged is lost, nothing old or damaged is read, and when the trouble is over nothing has to
 * be done by hand. Time is virtual.
 */
class FaultTableTest {
    @TempDir Path temp;
    private final ManualClock clock = new ManualClock();
    private final MemoryObjectStore base = new MemoryObjectStore(clock);
    private final Faults faults = new Faults(Randomness.seeded(7));
    private final Map<ObjectRef, byte[]> acknowledged = new LinkedHashMap<>();
    private long troubleEndsMillis = Long.MAX_VALUE;
    private SstCache cache;
    private Uploader uploader;
    private int files;

    private StoreContext context(long seed) {
        Sleeper sleeper =
                time -> {
                    clock.advanceMillis(time.toMillis() + 1);
                    if (clock.wallMillis() >= troubleEndsMillis) {
                        faults.setOutage(false);
                    }
                };
        return new StoreContext(clock, Randomness.seeded(seed), sleeper);
    }

    @BeforeEach
    void open() {
        FaultyObjectStore store = new FaultyObjectStore(base, faults, context(1).sleeper());
        cache = SstCache.open(store, CacheOptions.of(temp.resolve("cache"), 1), context(2));
        uploader =
                new Uploader(
                        store, null, new UploadOptions(1, 100, Duration.ofSeconds(30)), context(3));
    }

    @AfterEach
    void nothingIsLost() {
        faults.setOutage(false);
        for (Operation operation : Operation.values()) {
            faults.failAtRandom(operation, 0, 0);
        }
        faults.damageAtRandom(0);
        acknowledged.forEach(
                (ref, content) -> {
                    assertThat(base.get(ref.getKey(), content.length)).isEqualTo(content);
                    assertThat(cache.fetch(ref)).hasBinaryContent(content);
                });
        uploader.close();
        cache.close();
    }

    private boolean upload() throws IOException {
        byte[] content = ("content " + files).repeat(1 + files % 50).getBytes();
        Path file = Files.write(temp.resolve("f" + files++), content);
        try {
            acknowledged.put(uploader.uploadSst(7, 3, files, file), content);
            return true;
        } catch (ObjectStoreException e) {
            assertThat(e.kind()).isIn(Kind.UNAVAILABLE, Kind.FORBIDDEN);
            return false;
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void aFewPercentOfErrorsAreNotNoticed() throws IOException {
        for (Operation operation : Operation.values()) {
            faults.failAtRandom(operation, 0.03, 0.03);
        }
        for (int i = 0; i < 200; i++) {
            assertThat(upload()).isTrue();
        }
        acknowledged.forEach(
                (ref, content) -> assertThat(cache.fetch(ref)).hasBinaryContent(content));
        assertThat(faults.injected()).isGreaterThan(15);
    }

    @Test
    void burstsOfAMinuteAreOutlived() throws IOException {
        for (int burst = 0; burst < 5; burst++) {
            faults.setOutage(true);
            troubleEndsMillis = clock.wallMillis() + 60_000;
            long before = clock.wallMillis();
            while (!upload()) {
                clock.advanceMillis(500);
                if (clock.wallMillis() >= troubleEndsMillis) {
                    faults.setOutage(false);
                }
            }
            assertThat(clock.wallMillis() - before).isLessThan(75_000);
        }
    }

    @Test
    void anOutageOfTenMinutesCostsNothingButTime() throws IOException {
        assertThat(upload()).isTrue();
        faults.setOutage(true);
        troubleEndsMillis = clock.wallMillis() + 600_000;
        int refused = 0;
        while (!upload()) {
            refused++;
            // Nobody waits in a queue meanwhile.
            assertThat(uploader.stats().waiting()).isLessThanOrEqualTo(1);
            clock.advanceMillis(10_000);
            if (clock.wallMillis() >= troubleEndsMillis) {
                faults.setOutage(false);
            }
        }
        assertThat(refused).isBetween(5, 65);
        assertThat(acknowledged).hasSize(2);
    }

    @Test
    void aTimeoutBeforeTheEffectAndOneAfterAreOneUpload() throws IOException {
        faults.failNext(Operation.PUT, 2, Kind.UNAVAILABLE, Moment.BEFORE);
        faults.failNext(Operation.PUT, 2, Kind.UNAVAILABLE, Moment.AFTER);
        assertThat(upload()).isTrue();
        assertThat(base.list("", "", 10)).hasSize(1);
    }

    @Test
    void slowBodiesAreWaitedFor() throws IOException {
        faults.setLatency(Duration.ofSeconds(8));
        assertThat(upload()).isTrue();
        assertThat(clock.wallMillis()).isGreaterThan(3_000);
    }

    @Test
    void shortAndCorruptBodiesAreReadAgainAndNeverServed() throws IOException {
        for (int i = 0; i < 50; i++) {
            assertThat(upload()).isTrue();
        }
        faults.damageAtRandom(0.3);
        int refused = 0;
        for (Map.Entry<ObjectRef, byte[]> entry : acknowledged.entrySet()) {
            try {
                assertThat(cache.fetch(entry.getKey())).hasBinaryContent(entry.getValue());
            } catch (ObjectStoreException e) {
                assertThat(e.kind()).isEqualTo(Kind.CORRUPT);
                refused++;
            }
        }
        assertThat(faults.injected()).isGreaterThan(10);
        assertThat(refused).isLessThan(10);
    }

    @Test
    void expiredCredentialsAreNotRetriedAndOverWhenRenewed() throws IOException {
        faults.failNext(Operation.PUT, 3, Kind.FORBIDDEN, Moment.BEFORE);
        int failed = 0;
        while (!upload()) {
            failed++;
        }
        assertThat(failed).isEqualTo(3);
    }

    @Test
    void theDiskOfTheStoreIsFullForAWhile() throws IOException {
        Path file = Files.write(temp.resolve("x"), new byte[10]);
        faults.failNext(Operation.PUT, 1, Kind.FULL, Moment.BEFORE);
        assertThatThrownBy(() -> uploader.uploadSst(7, 3, 1, file))
                .isInstanceOfSatisfying(
                        ObjectStoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FULL));
        assertThat(upload()).isTrue();
    }

    @Test
    void twoLiveUploadersNeverMeet() throws IOException {
        try (Uploader zombie =
                new Uploader(
                        base,
                        null,
                        new UploadOptions(1, 10, Duration.ofSeconds(30)),
                        context(99))) {
            faults.failAtRandom(Operation.PUT, 0.2, 0.2);
            for (int i = 0; i < 50; i++) {
                byte[] theirs = ("zombie " + i).getBytes();
                Path file = Files.write(temp.resolve("z" + i), theirs);
                acknowledged.put(zombie.uploadSst(7, 3, files + 1, file), theirs);
                assertThat(upload()).isTrue();
            }
        }
        assertThat(acknowledged).hasSize(100);
    }

    @Test
    void aTakenNameIsSettledByContent() {
        byte[] mine = {1, 2, 3};
        base.putIfAbsent("a", mine);
        base.putIfAbsent("a", mine);
        assertThatThrownBy(() -> base.putIfAbsent("a", new byte[] {4}))
                .isInstanceOfSatisfying(
                        ObjectStoreException.class,
                        e -> assertThat(e.kind()).isEqualTo(Kind.ALREADY_EXISTS));
        assertThat(Checksums.crc32c(base.get("a", 3))).isEqualTo(Checksums.crc32c(mine));
    }

    @Test
    void pagesOfAListingMissNothingWhileOthersWrite() {
        for (int i = 0; i < 60; i++) {
            base.putIfAbsent("l/" + (100 + i), new byte[1]);
        }
        List<String> seen = new ArrayList<>();
        String after = "";
        for (List<ObjectInfo> page = base.list("l/", after, 7);
                !page.isEmpty();
                page = base.list("l/", after, 7)) {
            page.forEach(info -> seen.add(info.name()));
            after = seen.get(seen.size() - 1);
            base.putIfAbsent("l/0" + seen.size(), new byte[1]);
            base.delete("l/0" + seen.size());
        }
        assertThat(seen).doesNotHaveDuplicates().hasSize(60);
    }
}
