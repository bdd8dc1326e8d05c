package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.of;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.kvrpcpb.Action;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.CleanupRequest;
import io.tidekv.proto.kvrpcpb.CleanupResponse;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.MvccWrite;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.TxnHeartBeatRequest;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Second phase, and what others may do about a transaction, as a real TiKV answered. */
class ResolveRulesTest {
    private static final long MS = 1 << 18;

    private final TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void committingTwiceSucceedsAndTheFirstTimestampStays() {
        txn.write(10, 20, put("a", "v"));
        assertThat(txn.commit(10, 25, "a").getCommitVersion()).isEqualTo(25);
        assertThat(txn.inspect("a").getWritesList()).hasSize(1);
        assertThat(txn.inspect("a").getWrites(0).getCommitTs()).isEqualTo(20);
    }

    @Test
    void committingWithoutALockIsLockNotFound() {
        txn.prewrite(5, put("other", "v"));
        txn.prewrite(10, put("rb", "v"));
        txn.rollback(10, "rb");
        for (String key : new String[] {"never", "other", "rb"}) {
            KeyError error = txn.commit(10, 20, key).getError();
            assertThat(error.getTxnLockNotFound().getKey()).isEqualTo(key(key));
            assertThat(error.getRetryable()).contains("TxnLockNotFound");
        }
    }

    @Test
    void aCommitIsAllOrNothing() {
        txn.prewrite(10, put("a", "v"), put("c", "v"));
        assertThat(txn.commit(10, 20, "a", "b", "c").hasError()).isTrue();
        assertThat(txn.locks()).hasSize(2);
        assertThat(txn.commit(10, 20, "a", "c", "a").hasError()).isFalse();
    }

    @Test
    void theCommitTimestampMustReachTheLocksMinimum() {
        txn.prewrite(txn.prewriteOf(10, put("a", "v")).setMinCommitTs(15));
        CommitResponse low = txn.commit(10, 12, "a");
        assertThat(low.getError().getCommitTsExpired().getMinCommitTs()).isEqualTo(15);
        assertThat(low.getError().getCommitTsExpired().getAttemptedCommitTs()).isEqualTo(12);
        assertThat(txn.commit(10, 15, "a").hasError()).isFalse();
    }

    @Test
    void theCommitTimestampMustBeAboveTheStart() {
        txn.prewrite(10, put("a", "v"));
        assertThat(txn.commit(10, 10, "a").getError().getAbort()).isNotEmpty();
        assertThat(txn.locks()).hasSize(1);
    }

    @Test
    void rollbackOfTheCommittedIsRefused() {
        txn.write(10, 20, put("a", "v"));
        assertThat(txn.rollback(10, "a").getAbort()).contains("Committed");
        assertThat(txn.get("a", 30).getValue()).isEqualTo(key("v"));
    }

    @Test
    void rollbackTakesALongValueWithIt() {
        txn.prewrite(10, put("a", "x".repeat(300)));
        assertThat(txn.inspect("a").getValuesList()).hasSize(1);
        txn.rollback(10, "a");
        assertThat(txn.inspect("a").getValuesList()).isEmpty();
    }

    @Test
    void onlyThePrimarysRollbackIsProtected() {
        txn.prewrite(10, put("a", "v"), put("b", "v"));
        txn.rollback(10, "a", "b", "c");
        assertThat(txn.inspect("a").getWrites(0).getShortValue()).isEqualTo(key("p"));
        assertThat(txn.inspect("b").getWrites(0).getShortValue().isEmpty()).isTrue();
        assertThat(txn.inspect("c").getWrites(0).getType()).isEqualTo(Op.Rollback);
    }

    @Test
    void rollbacksThatNobodyReliesOnCollapse() {
        for (long ts : new long[] {10, 20, 30}) {
            txn.prewrite(txn.prewriteOf(ts, put("a", "v")).setPrimaryLock(key("prim")));
            txn.rollback(ts, "a");
        }
        assertThat(txn.inspect("a").getWritesList()).hasSize(1);
        for (long ts : new long[] {40, 50}) {
            txn.prewrite(ts, put("a", "v"));
            txn.rollback(ts, "a");
        }
        assertThat(txn.inspect("a").getWritesList())
                .extracting(MvccWrite::getStartTs)
                .containsExactly(50L, 40L);
    }

    @Test
    void aRollbackAtAnothersCommitIsKeptWhenItMustBe() {
        txn.write(10, 20, put("a", "v"));
        txn.rollback(20, "a");
        assertThat(txn.prewrite(20, put("a", "v"))).isEmpty();
        txn.rollback(20, "a");
        CheckTxnStatusResponse missing =
                txn.status(txn.statusOf("a", 20).setRollbackIfNotExist(true));
        assertThat(missing.getAction()).isIn(Action.NoAction, Action.LockNotExistRollback);
        assertThat(txn.prewrite(20, put("a", "v")).get(0).hasConflict()).isTrue();
        assertThat(txn.get("a", 20).getValue()).isEqualTo(key("v"));
    }

    @Test
    void cleanupLeavesALivingLockAndTellsOfACommit() {
        txn.prewrite(10 * MS, put("a", "v"));
        assertThat(cleanup("a", 10 * MS, 20 * MS).getError().hasLocked()).isTrue();
        assertThat(cleanup("a", 10 * MS, 4000 * MS).hasError()).isFalse();
        txn.write(10, 20, put("b", "v"));
        assertThat(cleanup("b", 10, 0).getCommitVersion()).isEqualTo(20);
    }

    @Test
    void aLivingPrimaryIsDescribed() {
        txn.prewrite(10 * MS, put("a", "v"));
        CheckTxnStatusResponse status =
                txn.status(txn.statusOf("a", 10 * MS).setCurrentTs(20 * MS));
        assertThat(status.getLockTtl()).isEqualTo(3000);
        assertThat(status.getLockInfo().getKey()).isEqualTo(key("a"));
        assertThat(status.getAction()).isEqualTo(Action.NoAction);
    }

    @Test
    void anExpiredPrimaryIsRolledBackOneMillisecondAfterItsTime() {
        txn.prewrite(10 * MS, put("a", "v"));
        assertThat(txn.status(txn.statusOf("a", 10 * MS).setCurrentTs(3010 * MS)).getLockTtl())
                .isEqualTo(3000);
        assertThat(txn.status(txn.statusOf("a", 10 * MS).setCurrentTs(3011 * MS)).getAction())
                .isEqualTo(Action.TTLExpireRollback);
        assertThat(txn.status(txn.statusOf("a", 10 * MS).setCurrentTs(3011 * MS)).getAction())
                .isEqualTo(Action.NoAction);
        assertThat(txn.commit(10 * MS, 4000 * MS, "a").hasError()).isTrue();
    }

    @Test
    void anUnknownTransactionIsNotFoundOrRolledBackForGood() {
        assertThat(txn.status(txn.statusOf("a", 10)).getError().getTxnNotFound().getStartTs())
                .isEqualTo(10);
        assertThat(txn.status(txn.statusOf("a", 10).setRollbackIfNotExist(true)).getAction())
                .isEqualTo(Action.LockNotExistRollback);
        assertThat(txn.prewrite(10, put("a", "v")).get(0).hasConflict()).isTrue();
    }

    @Test
    void aCommittedTransactionTellsItsTimestamp() {
        txn.write(10, 20, put("a", "v"));
        assertThat(txn.status(txn.statusOf("a", 10)).getCommitVersion()).isEqualTo(20);
    }

    @Test
    void readersPushALargeTransaction() {
        txn.prewrite(txn.prewriteOf(10 * MS, put("a", "v")).setMinCommitTs(10 * MS + 1));
        CheckTxnStatusResponse status =
                txn.status(
                        txn.statusOf("a", 10 * MS).setCallerStartTs(20 * MS).setCurrentTs(20 * MS));
        assertThat(status.getAction()).isEqualTo(Action.MinCommitTSPushed);
        assertThat(txn.locks().get(0).getMinCommitTs()).isEqualTo(20 * MS + 1);
        assertThat(txn.get("a", 20 * MS).getNotFound()).isTrue();
    }

    @Test
    void aLockWithoutMinimumIsNotPushed() {
        txn.prewrite(10 * MS, put("a", "v"));
        assertThat(txn.status(txn.statusOf("a", 10 * MS).setCallerStartTs(20 * MS)).getAction())
                .isEqualTo(Action.NoAction);
        assertThat(txn.status(txn.statusOf("a", 10 * MS).setCallerStartTs(-1L)).getAction())
                .isEqualTo(Action.MinCommitTSPushed);
        assertThat(txn.locks().get(0).getMinCommitTs()).isZero();
    }

    @Test
    void aSecondaryIsNotThePrimary() {
        txn.prewrite(10, put("a", "v"), put("b", "v"));
        CheckTxnStatusResponse status = txn.status(txn.statusOf("b", 10).setVerifyIsPrimary(true));
        assertThat(status.getError().getPrimaryMismatch().getLockInfo().getPrimaryLock())
                .isEqualTo(key("a"));
    }

    @Test
    void heartBeatsOnlyRaiseTheTtl() {
        txn.prewrite(10, put("a", "v"));
        assertThat(beat(10, 9000)).isEqualTo(9000);
        assertThat(beat(10, 5000)).isEqualTo(9000);
        assertThat(txn.locks().get(0).getLockTtl()).isEqualTo(9000);
        assertThat(txn.core.txn().heartBeat(beatOf(11, 9000)).join().getError().hasTxnNotFound())
                .isTrue();
    }

    @Test
    void namedKeysAreResolvedAlone() {
        txn.prewrite(10, put("a", "v"), put("b", "v"), put("c", "v"));
        assertThat(txn.resolve(10, 20, "a")).isEqualTo(KeyError.getDefaultInstance());
        assertThat(txn.resolve(10, 0, "b")).isEqualTo(KeyError.getDefaultInstance());
        assertThat(txn.locks()).extracting(l -> l.getKey().toStringUtf8()).containsExactly("c");
        assertThat(txn.resolve(10, 0, "a").getAbort()).contains("Committed");
        assertThat(txn.resolve(10, 20, "none").hasTxnLockNotFound()).isTrue();
    }

    @Test
    void aWholeRegionIsResolvedByTransaction() {
        Mutation[] many = new Mutation[700];
        for (int i = 0; i < many.length; i++) {
            many[i] = put("k" + i, "v");
        }
        txn.prewrite(10, many);
        txn.prewrite(11, put("z", "v"));
        txn.prewrite(12, of(Op.Del, "y"));
        assertThat(txn.resolve(Map.of(10L, 20L, 12L, 0L, 99L, 100L)))
                .isEqualTo(KeyError.getDefaultInstance());
        assertThat(txn.locks()).extracting(l -> l.getKey().toStringUtf8()).containsExactly("z");
        assertThat(txn.get("k699", 20).getValue()).isEqualTo(key("v"));
    }

    @Test
    void scannedLocksAreBounded() {
        txn.prewrite(10, put("a", "v"));
        txn.prewrite(20, of(Op.Del, "b"));
        txn.prewrite(30, of(Op.Lock, "c"));
        assertThat(txn.locks(ScanLockRequest.newBuilder().setMaxVersion(20))).hasSize(2);
        assertThat(txn.locks(ScanLockRequest.newBuilder().setMaxVersion(30).setLimit(1)))
                .extracting(l -> l.getKey().toStringUtf8())
                .containsExactly("a");
        assertThat(
                        txn.locks(
                                ScanLockRequest.newBuilder()
                                        .setMaxVersion(30)
                                        .setStartKey(key("b"))
                                        .setEndKey(key("c"))))
                .extracting(l -> l.getLockType())
                .containsExactly(Op.Del);
        assertThat(
                        txn.locks(
                                ScanLockRequest.newBuilder()
                                        .setMaxVersion(30)
                                        .setStartKey(key("c"))
                                        .setEndKey(key("a"))))
                .isEmpty();
    }

    private CleanupResponse cleanup(String key, long startTs, long currentTs) {
        return txn.core
                .resolving()
                .cleanup(
                        CleanupRequest.newBuilder()
                                .setContext(txn.context(key))
                                .setKey(key(key))
                                .setStartVersion(startTs)
                                .setCurrentTs(currentTs)
                                .build())
                .join();
    }

    private TxnHeartBeatRequest beatOf(long startTs, long ttl) {
        return TxnHeartBeatRequest.newBuilder()
                .setContext(txn.context("a"))
                .setPrimaryLock(key("a"))
                .setStartVersion(startTs)
                .setAdviseLockTtl(ttl)
                .build();
    }

    private long beat(long startTs, long ttl) {
        return txn.core.txn().heartBeat(beatOf(startTs, ttl)).join().getLockTtl();
    }
}
