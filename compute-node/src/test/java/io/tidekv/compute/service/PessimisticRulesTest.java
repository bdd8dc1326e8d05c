package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.of;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.kvrpcpb.GetLockWaitInfoRequest;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticLockKeyResultType;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import io.tidekv.proto.kvrpcpb.PessimisticLockWakeUpMode;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest.PessimisticAction;
import io.tidekv.proto.kvrpcpb.WriteConflict;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pessimistic locks, rule by rule as a real TiKV answered. */
class PessimisticRulesTest {
    private final TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void readersPassThemAndWritersMeetThem() {
        txn.write(1, 2, put("a", "old"));
        assertThat(lock(10, 10, -1, "a").getErrorsCount()).isZero();
        assertThat(txn.get("a", 20).getValue()).isEqualTo(key("old"));
        assertThat(txn.prewrite(20, put("a", "2")).get(0).getLocked().getLockType())
                .isEqualTo(Op.PessimisticLock);
    }

    @Test
    void allKeysOfARequestAreLockedOrNone() {
        txn.prewrite(10, put("b", "v"));
        assertThat(lock(20, 20, -1, "a", "b", "c").getErrors(0).getLocked().getKey())
                .isEqualTo(key("b"));
        assertThat(txn.locks()).hasSize(1);
    }

    @Test
    void aNewerCommitIsAConflictUnlessTheLockIsForced() {
        txn.write(10, 20, put("a", "v"));
        KeyError error = lock(15, 19, -1, "a").getErrors(0);
        assertThat(error.getConflict().getReason())
                .isEqualTo(WriteConflict.Reason.PessimisticRetry);
        assertThat(error.getConflict().getConflictCommitTs()).isEqualTo(20);
        PessimisticLockResponse forced = send(forced(15, 19, -1, "a")).join();
        assertThat(forced.getResults(0).getType())
                .isEqualTo(PessimisticLockKeyResultType.LockResultLockedWithConflict);
        assertThat(forced.getResults(0).getLockedWithConflictTs()).isEqualTo(20);
        assertThat(forced.getResults(0).getValue()).isEqualTo(key("v"));
        assertThat(txn.locks().get(0).getLockForUpdateTs()).isEqualTo(20);
    }

    @Test
    void aRolledBackTransactionLocksNothingAnyMore() {
        lock(10, 10, -1, "a");
        txn.rollback(10, "a");
        assertThat(lock(10, 15, -1, "a").getErrors(0).getAbort()).isNotEmpty();
    }

    @Test
    void prewriteReplacesTheLockAndKeepsWhatIsLarger() {
        send(request(10, 15, -1, "a").setLockTtl(9_000).setMinCommitTs(30)).join();
        assertThat(txn.prewrite(pessimistic(12, PessimisticAction.DO_PESSIMISTIC_CHECK, "a")))
                .extracting(response -> response.getErrorsCount())
                .isEqualTo(0);
        LockInfo lock = txn.locks().get(0);
        assertThat(lock.getLockType()).isEqualTo(Op.Put);
        assertThat(lock.getLockTtl()).isEqualTo(9_000);
        assertThat(lock.getMinCommitTs()).isEqualTo(30);
        assertThat(lock.getLockForUpdateTs()).isEqualTo(15);
    }

    @Test
    void aLostLockIsAmendedOnlyWhenNothingWasCommittedSince() {
        assertThat(prewriteErrors(PessimisticAction.DO_PESSIMISTIC_CHECK, "a")).isZero();
        txn.write(11, 12, put("b", "v"));
        assertThat(prewriteErrors(PessimisticAction.DO_PESSIMISTIC_CHECK, "b")).isEqualTo(1);
    }

    @Test
    void keysThatNeedNoLockAreCheckedAtForUpdateTs() {
        txn.write(11, 15, put("a", "v"));
        assertThat(prewriteErrors(PessimisticAction.SKIP_PESSIMISTIC_CHECK, "a")).isZero();
        txn.write(16, 25, put("b", "v"));
        assertThat(prewriteErrors(PessimisticAction.SKIP_PESSIMISTIC_CHECK, "b")).isEqualTo(1);
        txn.write(13, 14, put("c", "v"));
        assertThat(prewriteErrors(PessimisticAction.DO_CONSTRAINT_CHECK, "c")).isEqualTo(1);
    }

    @Test
    void anExpectedForUpdateTsMustBeTheLocks() {
        lock(10, 15, -1, "a");
        PrewriteRequest.Builder request =
                pessimistic(20, PessimisticAction.DO_PESSIMISTIC_CHECK, "a");
        request.addForUpdateTsConstraintsBuilder().setIndex(0).setExpectedForUpdateTs(14);
        assertThat(txn.prewrite(request.clone()).getErrorsCount()).isEqualTo(1);
        request.getForUpdateTsConstraintsBuilder(0).setExpectedForUpdateTs(15);
        assertThat(txn.prewrite(request).getErrorsCount()).isZero();
    }

    /** As the Rust client sends it to each region of a transaction over several. */
    @Test
    void aListOfActionsMayBeTooLong() {
        lock(10, 20, -1, "a");
        PrewriteRequest.Builder request =
                pessimistic(20, PessimisticAction.DO_PESSIMISTIC_CHECK, "a");
        request.addPessimisticActions(PessimisticAction.DO_PESSIMISTIC_CHECK);
        assertThat(txn.prewrite(request).getErrorsCount()).isZero();
    }

    @Test
    void aListOfActionsThatIsTooShortIsRefused() {
        PrewriteRequest.Builder request =
                pessimistic(20, PessimisticAction.SKIP_PESSIMISTIC_CHECK, "a");
        request.addMutations(put("b", "v"));
        assertThat(txn.prewrite(request).getErrors(0).getAbort()).contains("pessimistic_actions");
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void whoWaitsIsWokenByTheCommit() {
        txn.prewrite(10, put("a", "one"));
        CompletableFuture<PessimisticLockResponse> normal = send(request(20, 20, 1000, "a"));
        waiting(1);
        txn.commit(10, 30, "a");
        KeyError error = normal.orTimeout(10, TimeUnit.SECONDS).join().getErrors(0);
        assertThat(error.getConflict().getConflictTs()).isEqualTo(10);
        assertThat(error.getConflict().getConflictCommitTs()).isEqualTo(30);
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void whoForcesItsLockTakesItWhenWoken() {
        txn.prewrite(10, put("a", "one"));
        CompletableFuture<PessimisticLockResponse> first = send(forced(20, 20, 1000, "a"));
        CompletableFuture<PessimisticLockResponse> second = send(forced(25, 25, 1000, "a"));
        waiting(2);
        txn.commit(10, 30, "a");
        assertThat(
                        first.orTimeout(10, TimeUnit.SECONDS)
                                .join()
                                .getResults(0)
                                .getLockedWithConflictTs())
                .isEqualTo(30);
        assertThat(txn.locks().get(0).getLockVersion()).isEqualTo(20);
        rollback(20, "a");
        assertThat(second.orTimeout(10, TimeUnit.SECONDS).join().getErrorsCount()).isZero();
        assertThat(txn.locks().get(0).getLockVersion()).isEqualTo(25);
    }

    @Test
    void aWaitEndsWithTheLockThatStays() {
        txn.prewrite(10, put("a", "one"));
        PessimisticLockResponse response =
                send(request(20, 20, 30, "a")).orTimeout(10, TimeUnit.SECONDS).join();
        assertThat(response.getErrors(0).getLocked().getLockVersion()).isEqualTo(10);
    }

    @Test
    void whoClosesACircleIsTold() {
        lock(10, 10, -1, "a");
        lock(20, 20, -1, "b");
        CompletableFuture<PessimisticLockResponse> waits = send(request(10, 11, 1000, "b"));
        waiting(1);
        KeyError error =
                send(request(20, 21, 1000, "a"))
                        .orTimeout(10, TimeUnit.SECONDS)
                        .join()
                        .getErrors(0);
        assertThat(error.getDeadlock().getLockTs()).isEqualTo(10);
        assertThat(error.getDeadlock().getLockKey()).isEqualTo(key("a"));
        assertThat(error.getDeadlock().getWaitChainList())
                .extracting(wait -> wait.getTxn() + ">" + wait.getWaitForTxn())
                .containsExactly("10>20", "20>10");
        rollback(20, "b");
        assertThat(waits.orTimeout(10, TimeUnit.SECONDS).join().getErrors(0).hasConflict())
                .isTrue();
    }

    @Test
    void aRollbackWithoutKeysGivesUpAllOfTheTransaction() {
        lock(10, 10, -1, "a", "b");
        lock(20, 20, -1, "c");
        rollback(10);
        assertThat(txn.locks()).extracting(LockInfo::getLockVersion).containsExactly(20L);
    }

    private long prewriteErrors(PessimisticAction action, String name) {
        return txn.prewrite(pessimistic(20, action, name)).getErrorsCount();
    }

    private PrewriteRequest.Builder pessimistic(
            long forUpdateTs, PessimisticAction action, String name) {
        return txn.prewriteOf(10, put(name, "v"))
                .setForUpdateTs(forUpdateTs)
                .addPessimisticActions(action);
    }

    private PessimisticLockResponse lock(
            long startTs, long forUpdateTs, long waitMs, String... keys) {
        return send(request(startTs, forUpdateTs, waitMs, keys)).join();
    }

    private PessimisticLockRequest.Builder forced(
            long startTs, long forUpdateTs, long waitMs, String name) {
        return request(startTs, forUpdateTs, waitMs, name)
                .setWakeUpMode(PessimisticLockWakeUpMode.WakeUpModeForceLock);
    }

    private PessimisticLockRequest.Builder request(
            long startTs, long forUpdateTs, long waitMs, String... keys) {
        PessimisticLockRequest.Builder request =
                PessimisticLockRequest.newBuilder()
                        .setContext(txn.context(keys[0]))
                        .setPrimaryLock(key(keys[0]))
                        .setStartVersion(startTs)
                        .setForUpdateTs(forUpdateTs)
                        .setWaitTimeout(waitMs)
                        .setLockTtl(3000);
        for (String each : keys) {
            request.addMutations(of(Op.PessimisticLock, each));
        }
        return request;
    }

    private CompletableFuture<PessimisticLockResponse> send(
            PessimisticLockRequest.Builder request) {
        return txn.core.pessimistic().lock(request.build());
    }

    private void rollback(long startTs, String... keys) {
        PessimisticRollbackRequest.Builder request =
                PessimisticRollbackRequest.newBuilder()
                        .setContext(txn.context(""))
                        .setStartVersion(startTs)
                        .setForUpdateTs(Long.MAX_VALUE);
        for (String each : keys) {
            request.addKeys(key(each));
        }
        assertThat(txn.core.pessimistic().rollback(request.build()).join().getErrorsCount())
                .isZero();
    }

    private void waiting(int count) {
        Awaitility.await()
                .until(
                        () ->
                                txn.core
                                                .pessimistic()
                                                .waits(GetLockWaitInfoRequest.getDefaultInstance())
                                                .join()
                                                .getEntriesCount()
                                        == count);
    }
}
