package io.tidekv.wal.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.proto.wal.CreateRequest;
import io.tidekv.proto.wal.RenewRequest;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** While there is little to do, whoever brings requests runs the round. */
class LightRoundTest {
    private static final Owner OWNER = Owner.newBuilder().setStoreId(1).setIncarnation(1).build();

    private final List<Long> answered = new ArrayList<>();
    private final AtomicReference<Thread> answeredBy = new AtomicReference<>();
    private final Queue<Runnable> here = new ConcurrentLinkedQueue<>();
    private final CountDownLatch syncing = new CountDownLatch(1);
    private final CountDownLatch synced = new CountDownLatch(1);
    private VoterService service;

    @BeforeEach
    void start() throws IOException {
        MemoryWalFiles files = new MemoryWalFiles();
        service =
                VoterService.start(
                        "writer",
                        SegmentStore.open(files, new UUID(1, 1), new StorageOptions(1 << 20, 1000)),
                        new ServiceOptions(10_000, Duration.ofHours(1)),
                        SystemClock.INSTANCE,
                        Randomness.seeded(1),
                        new Metrics());
        files.setFault(
                (call, name) -> {
                    if (call == MemoryWalFiles.Call.SYNC) {
                        syncing.countDown();
                        awaitSync();
                    }
                });
    }

    private void awaitSync() {
        try {
            assertThat(synced.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void stop() {
        synced.countDown();
        service.close();
    }

    private void deliver(List<WalResponse> responses, int bytes) {
        synchronized (answered) {
            responses.forEach(response -> answered.add(response.getSeq()));
        }
        answeredBy.set(Thread.currentThread());
    }

    private long count() {
        synchronized (answered) {
            return answered.size();
        }
    }

    private static List<WalRequest> requests(long firstSeq, int count) {
        List<WalRequest> requests = new ArrayList<>();
        for (long seq = firstSeq; seq < firstSeq + count; seq++) {
            RenewRequest renew = RenewRequest.newBuilder().setOwner(OWNER).setSession(7).build();
            requests.add(WalRequest.newBuilder().setSeq(seq).setRenew(renew).build());
        }
        return requests;
    }

    private void bring(long firstSeq, int count) {
        service.submit(OWNER, requests(firstSeq, count), 100 * count, this::deliver, here::add);
    }

    /** The writer's own thread has had a round of so many requests: what follows is told by it. */
    private void after(int count) {
        boolean light = count <= ServiceOptions.LIGHT_REQUESTS;
        do {
            synchronized (answered) {
                answered.clear();
            }
            service.submit(OWNER, requests(0, count), 100, this::deliver);
            await().until(() -> count() == count);
            // A thread that had to wait for a processor makes a round a slow one.
        } while (light && !service.isLight());
    }

    private void runHere() {
        for (Runnable task = here.poll(); task != null; task = here.poll()) {
            task.run();
        }
    }

    @Test
    void aFewRequestsAreAnsweredByTheThreadThatBringsThem() {
        // The writer may still be at the end of its own round.
        for (int i = 0; i < 1000 && answeredBy.get() != Thread.currentThread(); i++) {
            after(1);
            bring(1, 1);
            bring(2, 2);
            if (here.size() == 2) {
                // What comes together is one round.
                here.remove().run();
            }
            await().until(() -> count() == 4);
            runHere();
        }
        assertThat(answeredBy).hasValue(Thread.currentThread());
        assertThat(answered).containsExactly(0L, 1L, 2L, 3L);
    }

    @Test
    void manyRequestsAreLeftToTheWriter() {
        after(ServiceOptions.LIGHT_REQUESTS + 1);
        bring(1, 1);
        assertThat(here).isEmpty();
        await().until(() -> count() == ServiceOptions.LIGHT_REQUESTS + 2);
        assertThat(answeredBy.get()).isNotSameAs(Thread.currentThread());
    }

    @Test
    void nobodyRunsARoundWhileTheWriterDoes() throws InterruptedException {
        after(1);
        Origin origin = Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build();
        VoterConfig config = VoterConfig.newBuilder().setGeneration(1).addWalIds(1).build();
        CreateRequest create =
                CreateRequest.newBuilder().setOrigin(origin).setConfig(config).build();
        WalRequest durable =
                WalRequest.newBuilder().setSeq(1).setRegionId(9).setCreate(create).build();
        service.submit(OWNER, List.of(durable), 100, this::deliver);
        assertThat(syncing.await(10, TimeUnit.SECONDS)).isTrue();
        bring(2, 1);
        assertThat(here).hasSize(1);
        runHere();
        assertThat(count()).as("the first is not durable yet").isEqualTo(1);
        synced.countDown();
        await().until(() -> count() == 3);
        assertThat(answered).containsExactly(0L, 1L, 2L);
    }

    @Test
    void nothingIsForgottenOrOvertakenWhenTheThreadDoesNotCome() {
        after(1);
        bring(1, 1);
        here.clear();
        service.submit(OWNER, requests(2, 1), 100, this::deliver);
        await().until(() -> count() == 3);
        assertThat(answered).containsExactly(0L, 1L, 2L);
        bring(3, 1);
        here.clear();
        await().atMost(Duration.ofSeconds(10)).until(() -> count() == 4);
    }

    @Test
    void roundsOfManyThreadsNeverMixUpTheOrderOfEach() throws Exception {
        after(1);
        int threads = 4;
        int each = 500;
        ExecutorService pool = Threads.pool("bring", threads, threads);
        for (int i = 1; i <= threads; i++) {
            long first = i * 10_000L;
            pool.execute(
                    () -> {
                        for (int n = 0; n < each; n++) {
                            Queue<Runnable> own = new ConcurrentLinkedQueue<>();
                            service.submit(
                                    OWNER, requests(first + n, 1), 1, this::deliver, own::add);
                            own.forEach(Runnable::run);
                        }
                    });
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> count() == 1L + threads * each);
        pool.shutdown();
        for (long i = 1; i <= threads; i++) {
            long thread = i;
            assertThat(answered.stream().filter(seq -> seq / 10_000 == thread)).isSorted();
        }
    }

    @Test
    void nothingRunsWhenTheServiceHasEnded() {
        after(1);
        bring(1, 1);
        service.close();
        runHere();
        bring(2, 1);
        runHere();
        assertThat(answered).as("answered by the writer, as it ended").containsExactly(0L, 1L);
    }
}
