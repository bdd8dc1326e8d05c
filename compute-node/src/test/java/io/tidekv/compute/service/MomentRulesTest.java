package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.MomentService.Settled;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a region promises for a copy of the cluster as of a timestamp. */
class MomentRulesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Applied when the test says so. */
    private final Queue<Runnable> log = new ConcurrentLinkedQueue<>();

    private final TxnClient left = new TxnClient();
    private final TxnClient right =
            new TxnClient(new MemoryRegions(7, 2, log::add), KvSettings.of(ApiMode.V1));
    private final long base = (left.clock.wallMillis() << 18) + 100_000;

    @AfterEach
    void close() {
        left.close();
        right.close();
    }

    private static CompletableFuture<Settled> settle(TxnClient store, long ts) {
        long region = store.regions.regions().get(0).shape().getRegionId();
        return store.core.moments().settle(region, ts, false);
    }

    private void applyAll() {
        for (Runnable next = log.poll(); next != null; next = log.poll()) {
            next.run();
        }
    }

    private PrewriteResponse onePhase(TxnClient store, long startTs, String key) {
        CompletableFuture<PrewriteResponse> written =
                store.core
                        .txn()
                        .prewrite(
                                store.prewriteOf(startTs, TxnClient.put(key, "v"))
                                        .setTryOnePc(true)
                                        .build());
        await().atMost(PATIENCE)
                .until(
                        () -> {
                            applyAll();
                            return written.isDone();
                        });
        return written.join();
    }

    /**
     * Why all regions are settled before one is copied: what is committed after its copy can be
     * read, and what follows from it be committed below the moment where that is not known.
     */
    @Test
    void aStoreThatIsNotSettledCommitsBelowTheMoment() {
        left.prewrite(base + 10, TxnClient.put("x", "v"));
        long moment = base + 30;
        settle(left, moment).join();
        // Here the left region is copied: with a lock, and no commit.
        left.commit(base + 10, base + 20, "x");
        assertThat(left.get("x", base + 25).getNotFound()).isFalse();
        long follows = onePhase(right, base + 25, "y").getOnePcCommitTs();
        assertThat(follows).as("it would be in a copy without x").isBetween(base + 26, moment);

        settle(right, moment).join();
        assertThat(onePhase(right, base + 26, "z").getOnePcCommitTs()).isGreaterThan(moment);
    }

    @Test
    void prewritesThatHaveChosenATimestampAreAwaited() throws Exception {
        CompletableFuture<PrewriteResponse> written =
                right.core
                        .txn()
                        .prewrite(
                                right.prewriteOf(base + 10, TxnClient.put("y", "v"))
                                        .setUseAsyncCommit(true)
                                        .build());
        await().atMost(PATIENCE).until(() -> !log.isEmpty());
        CompletableFuture<Settled> settled = settle(right, base + 30);
        assertThat(settled).isNotDone();
        applyAll();
        settled.get(10, TimeUnit.SECONDS);
        assertThat(written.join().getMinCommitTs()).isLessThanOrEqualTo(base + 30);
    }

    @Test
    void aPrewriteThatHangsIsNotAwaitedForEver() {
        right.core
                .txn()
                .prewrite(
                        right.prewriteOf(base + 10, TxnClient.put("y", "v"))
                                .setUseAsyncCommit(true)
                                .build());
        await().atMost(PATIENCE).until(() -> !log.isEmpty());
        CompletableFuture<Settled> settled = settle(right, base + 30);
        right.clock.advanceMillis(6000);
        await().atMost(PATIENCE).until(settled::isDone);
        assertThatThrownBy(settled::join)
                .hasCauseInstanceOf(KvException.class)
                .matches(e -> ((KvException) e.getCause()).error() instanceof KvError.ServerIsBusy);
        applyAll();
    }

    @Test
    void timestampsFromTheFutureAreRefused() {
        long tooHigh = (left.clock.wallMillis() + 3_600_000) << 18;
        assertThatThrownBy(() -> settle(left, tooHigh).join()).hasMessageContaining("future");
        assertThat(onePhase(left, base, "a").getOnePcCommitTs()).isLessThan(tooHigh);
    }
}
