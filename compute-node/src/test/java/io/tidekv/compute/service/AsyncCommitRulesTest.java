package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.of;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.compute.engine.ApiMode;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksRequest;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksResponse;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.MvccWrite;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Commits whose timestamp the store chooses. */
class AsyncCommitRulesTest {
    private static final long START = 1_700_000_000_000L << 18;

    private TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void theTimestampIsAboveWhatWasRead() {
        txn.get("a", START + 500);
        assertThat(async(START, "a").getMinCommitTs()).isGreaterThan(START + 500);
        txn.scan(txn.scanOf("b", "z", START + 900));
        assertThat(onePhase(START, "c").getOnePcCommitTs()).isGreaterThan(START + 900);
    }

    @Test
    void aReadAtTheMaximumIsNoTime() {
        txn.get("a", -1L);
        assertThat(async(START, "a").getMinCommitTs()).isPositive();
    }

    @Test
    void aTimestampFromTheFutureIsRefused() {
        long future = START + (1L << 45);
        assertThat(txn.get("a", future).getError().getAbort()).contains("invalid max_ts update");
        assertThat(async(START, "a").getMinCommitTs()).isLessThan(future);
    }

    @Test
    void aNewOwnerIsAboveWhateverOthersRead() {
        // The first timestamp from PD is that of the clock, above START.
        assertThat(async(START - 1000, "a").getMinCommitTs()).isGreaterThan(START);
    }

    @Test
    void thePrimaryKnowsTheSecondaries() {
        txn.prewrite(
                txn.prewriteOf(START, put("a", "1"), put("b", "2"))
                        .setUseAsyncCommit(true)
                        .addSecondaries(key("b")));
        LockInfo primary = txn.locks().get(0);
        assertThat(primary.getSecondariesList()).containsExactly(key("b"));
        assertThat(txn.locks().get(1).getSecondariesList()).isEmpty();
        assertThat(txn.locks()).allMatch(LockInfo::getUseAsyncCommit);
    }

    @Test
    void aTimestampAboveTheLimitFallsBack() {
        txn.get("a", START + 500);
        PrewriteRequest.Builder request =
                txn.prewriteOf(START, put("a", "1")).setMaxCommitTs(START + 100);
        assertThat(txn.prewrite(request.clone().setUseAsyncCommit(true)).getMinCommitTs()).isZero();
        assertThat(txn.locks().get(0).getUseAsyncCommit()).isFalse();
        assertThat(txn.prewrite(request.clone().setTryOnePc(true)).getOnePcCommitTs()).isZero();
        assertThat(txn.locks()).hasSize(1);
    }

    @Test
    void onePhaseLeavesNoLockAndIsRepeatable() {
        PrewriteRequest.Builder request =
                txn.prewriteOf(START, put("a", "1"), of(Op.Lock, "b")).setTryOnePc(true);
        long commitTs = txn.prewrite(request.clone()).getOnePcCommitTs();
        assertThat(commitTs).isGreaterThan(START);
        assertThat(txn.locks()).isEmpty();
        assertThat(txn.get("a", commitTs).getValue()).isEqualTo(key("1"));
        assertThat(txn.get("a", commitTs - 1).getNotFound()).isTrue();
        assertThat(txn.prewrite(request).getOnePcCommitTs()).isEqualTo(commitTs);
    }

    @Test
    void aMissingSecondaryIsRolledBackForGood() {
        async(START, "p");
        CheckSecondaryLocksResponse missing = secondaries("s");
        assertThat(missing.getLocksCount()).isZero();
        assertThat(missing.getCommitTs()).isZero();
        MvccWrite rollback = txn.inspect("s").getWrites(0);
        assertThat(rollback.getType()).isEqualTo(Op.Rollback);
        assertThat(rollback.getShortValue()).isEqualTo(key("p"));
        assertThat(txn.prewrite(START, put("s", "v"))).isNotEmpty();
    }

    @Test
    void secondariesAreToldAsTheyAre() {
        long ts = async(START, "p").getMinCommitTs();
        assertThat(secondaries("p").getLocksCount()).isEqualTo(1);
        txn.commit(START, ts, "p");
        assertThat(secondaries("p").getCommitTs()).isEqualTo(ts);
    }

    @Test
    void readersMeetAPrewriteThatIsNotAppliedYet() {
        ConcurrentLinkedQueue<Runnable> log = new ConcurrentLinkedQueue<>();
        txn.close();
        txn = new TxnClient(new MemoryRegions(7, 1, log::add), KvSettings.of(ApiMode.V1));
        CompletableFuture<PrewriteResponse> prewrite =
                txn.core
                        .txn()
                        .prewrite(
                                txn.prewriteOf(START, put("a", "1"))
                                        .setUseAsyncCommit(true)
                                        .build());
        Awaitility.await().until(() -> !log.isEmpty());
        long above = START + (1L << 33);
        assertThat(txn.get("a", above).getError().getLocked().getLockVersion()).isEqualTo(START);
        assertThat(txn.batchGet(above, "b", "a").get(0).getError().hasLocked()).isTrue();
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "z", above)))).containsExactly("!a");
        assertThat(
                        txn.core
                                .resolving()
                                .scanLock(
                                        ScanLockRequest.newBuilder()
                                                .setContext(txn.context("a"))
                                                .setMaxVersion(above)
                                                .build())
                                .join()
                                .getError()
                                .hasLocked())
                .isTrue();
        // Below the timestamp that it will have, and for those who do not look at locks.
        assertThat(txn.get("a", START).getNotFound()).isTrue();
        GetRequest.Builder knowing =
                GetRequest.newBuilder().setContext(txn.context("a")).setKey(key("a"));
        knowing.setVersion(above).getContextBuilder().addResolvedLocks(START);
        GetResponse passed = txn.get(knowing);
        assertThat(passed.getNotFound()).isTrue();
        log.remove().run();
        assertThat(prewrite.orTimeout(10, TimeUnit.SECONDS).join().getMinCommitTs())
                .isGreaterThan(START)
                .isLessThan(above);
    }

    private PrewriteResponse async(long startTs, String name) {
        return txn.prewrite(txn.prewriteOf(startTs, put(name, "v")).setUseAsyncCommit(true));
    }

    private PrewriteResponse onePhase(long startTs, String name) {
        return txn.prewrite(txn.prewriteOf(startTs, put(name, "v")).setTryOnePc(true));
    }

    private CheckSecondaryLocksResponse secondaries(String name) {
        return txn.core
                .resolving()
                .checkSecondaryLocks(
                        CheckSecondaryLocksRequest.newBuilder()
                                .setContext(txn.context(name))
                                .setStartVersion(START)
                                .addKeys(key(name))
                                .build())
                .join();
    }
}
