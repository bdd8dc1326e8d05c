package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.insert;
import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.of;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.proto.kvrpcpb.Assertion;
import io.tidekv.proto.kvrpcpb.AssertionLevel;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.WriteConflict;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** First phase of transactions, rule by rule as a real TiKV answered. */
class PrewriteRulesTest {
    private final TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void aLockOfAnotherIsReportedWhole() {
        txn.prewrite(txn.prewriteOf(10, put("a", "1")).setTxnSize(7).setMinCommitTs(12));
        KeyError error = txn.prewrite(20, put("a", "2")).get(0);
        assertThat(error.getLocked())
                .isEqualTo(
                        LockInfo.newBuilder()
                                .setPrimaryLock(key("a"))
                                .setKey(key("a"))
                                .setLockVersion(10)
                                .setLockTtl(3000)
                                .setTxnSize(7)
                                .setMinCommitTs(12)
                                .build());
    }

    @Test
    void allLockedKeysAreReportedAndNothingIsWritten() {
        txn.prewrite(10, put("a", "v"), put("c", "v"));
        List<KeyError> errors = txn.prewrite(20, put("a", "v"), put("b", "v"), put("c", "v"));
        assertThat(errors)
                .extracting(e -> e.getLocked().getKey().toStringUtf8())
                .containsExactly("a", "c");
        assertThat(txn.locks()).hasSize(2);
    }

    @Test
    void aConflictWinsOverLockedKeys() {
        txn.write(100, 110, put("a", "n"));
        txn.prewrite(10, put("b", "v"));
        List<KeyError> errors = txn.prewrite(50, put("b", "v"), put("a", "v"));
        assertThat(errors).hasSize(1);
        assertThat(errors.get(0).getConflict().getConflictCommitTs()).isEqualTo(110);
    }

    @Test
    void aNewerCommitIsAConflictWithItsTimestamps() {
        txn.write(10, 20, put("a", "1"));
        KeyError error = txn.prewrite(15, put("a", "2")).get(0);
        WriteConflict conflict = error.getConflict();
        assertThat(conflict.getStartTs()).isEqualTo(15);
        assertThat(conflict.getConflictTs()).isEqualTo(10);
        assertThat(conflict.getConflictCommitTs()).isEqualTo(20);
        assertThat(conflict.getPrimary()).isEqualTo(key("a"));
        assertThat(conflict.getReason()).isEqualTo(WriteConflict.Reason.Optimistic);
        assertThat(error.getRetryable()).isNotEmpty();
    }

    @Test
    void aCommitAtTheStartTimestampIsNoConflict() {
        txn.write(10, 20, put("a", "1"));
        assertThat(txn.prewrite(20, put("a", "2"))).isEmpty();
    }

    @Test
    void lockOnlyDeletedAndRolledBackRecordsConflictToo() {
        txn.write(10, 20, of(Op.Lock, "lock"));
        txn.write(10, 20, of(Op.Del, "del"));
        txn.rollback(20, "rb");
        for (String key : List.of("lock", "del", "rb")) {
            assertThat(txn.prewrite(15, put(key, "v")).get(0).hasConflict()).as(key).isTrue();
            assertThat(txn.prewrite(25, put(key, "v"))).as(key).isEmpty();
        }
    }

    @Test
    void overTheOwnLockNothingChanges() {
        txn.prewrite(10, put("a", "1"));
        assertThat(txn.prewrite(10, put("a", "2"))).isEmpty();
        assertThat(txn.prewrite(10, of(Op.Del, "a"))).isEmpty();
        txn.commit(10, 20, "a");
        assertThat(txn.get("a", 20).getValue()).isEqualTo(key("1"));
    }

    @Test
    void afterTheOwnCommitItSucceedsWithoutALock() {
        txn.write(10, 20, put("a", "1"));
        assertThat(txn.prewrite(10, put("a", "2"))).isEmpty();
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void afterTheOwnCommitItSucceedsAlsoUnderAnothersLock() {
        txn.write(10, 20, put("a", "1"));
        txn.prewrite(30, put("a", "3"));
        assertThat(txn.prewrite(10, put("a", "2"))).isEmpty();
        assertThat(txn.locks().get(0).getLockVersion()).isEqualTo(30);
    }

    @Test
    void afterTheOwnRollbackItIsAConflictWithItself() {
        txn.prewrite(10, put("a", "v"));
        txn.rollback(10, "a");
        KeyError error = txn.prewrite(10, put("a", "v")).get(0);
        assertThat(error.getConflict().getReason()).isEqualTo(WriteConflict.Reason.SelfRolledBack);
        assertThat(error.getConflict().getConflictTs()).isEqualTo(10);
    }

    @Test
    void insertNeedsAnAbsentKey() {
        txn.write(10, 20, put("a", "1"));
        assertThat(txn.prewrite(30, insert("a", "2")).get(0).getAlreadyExist().getKey())
                .isEqualTo(key("a"));
        txn.write(30, 40, of(Op.Del, "a"));
        assertThat(txn.prewrite(50, insert("a", "2"))).isEmpty();
    }

    @Test
    void insertLooksBelowRecordsThatChangeNothing() {
        txn.write(10, 20, put("a", "1"));
        txn.write(30, 40, of(Op.Lock, "a"));
        txn.rollback(45, "a");
        assertThat(txn.prewrite(50, insert("a", "2")).get(0).hasAlreadyExist()).isTrue();
    }

    @Test
    void checkNotExistsLeavesNoLock() {
        assertThat(txn.prewrite(10, of(Op.CheckNotExists, "a"))).isEmpty();
        assertThat(txn.locks()).isEmpty();
        txn.write(20, 30, put("a", "1"));
        assertThat(txn.prewrite(40, of(Op.CheckNotExists, "a")).get(0).hasAlreadyExist()).isTrue();
        assertThat(txn.prewrite(25, of(Op.CheckNotExists, "a")).get(0).hasConflict()).isTrue();
    }

    @Test
    void oneFailingMutationKeepsAllFromBeingWritten() {
        txn.write(10, 20, put("b", "v"));
        List<KeyError> errors = txn.prewrite(30, put("a", "v"), insert("b", "v"), put("c", "v"));
        assertThat(errors).hasSize(1);
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void skippedConstraintChecksStillSeeLocks() {
        txn.write(10, 20, put("a", "1"));
        assertThat(
                        txn.prewrite(txn.prewriteOf(15, put("a", "2")).setSkipConstraintCheck(true))
                                .getErrorsList())
                .isEmpty();
        assertThat(
                        txn.prewrite(txn.prewriteOf(40, put("a", "3")).setSkipConstraintCheck(true))
                                .getErrors(0)
                                .hasLocked())
                .isTrue();
    }

    @Test
    void aKeyTwiceInOneRequestIsRefused() {
        assertThat(txn.prewrite(10, put("a", "1"), put("a", "2")).get(0).getAbort())
                .contains("twice");
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void noMutationsAreAnEmptySuccess() {
        PrewriteRequest request =
                PrewriteRequest.newBuilder()
                        .setContext(txn.context("a"))
                        .setStartVersion(10)
                        .build();
        assertThat(txn.core.txn().prewrite(request).join())
                .isEqualTo(PrewriteResponse.getDefaultInstance());
    }

    @Test
    void operationsOfOtherCommandsAreRefused() {
        for (Op op : List.of(Op.Rollback, Op.PessimisticLock, Op.SharedLock)) {
            assertThat(txn.prewrite(10, of(op, "a")).get(0).getAbort()).as("%s", op).isNotEmpty();
        }
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void keysAboveTheLimitAreRefused() {
        assertThat(txn.prewrite(10, put("k".repeat(9000), "v")).get(0).getAbort())
                .contains("max key size");
    }

    @Test
    void fileBasedTransactionsAreNotServed() {
        PrewriteRequest.Builder request = txn.prewriteOf(10, put("a", "v")).addTxnFileChunks(1);
        assertThat(txn.core.txn().prewrite(request.build()).join().getErrors(0).getAbort())
                .contains("not served");
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void assertionsFailWithWhatExists() {
        txn.write(10, 20, put("there", "v"));
        KeyError error = asserted(30, "there", Assertion.NotExist, AssertionLevel.Fast).get(0);
        assertThat(error.getAssertionFailed().getExistingCommitTs()).isEqualTo(20);
        assertThat(error.getAssertionFailed().getExistingStartTs()).isEqualTo(10);
        assertThat(
                        asserted(30, "never", Assertion.Exist, AssertionLevel.Strict)
                                .get(0)
                                .hasAssertionFailed())
                .isTrue();
        assertThat(asserted(30, "there", Assertion.NotExist, AssertionLevel.Off)).isEmpty();
    }

    @Test
    void fastAssertionsDoNotLookFurtherThanNeeded() {
        txn.write(10, 20, put("a", "v"));
        txn.write(30, 40, of(Op.Lock, "a"));
        assertThat(asserted(50, "a", Assertion.NotExist, AssertionLevel.Fast)).isEmpty();
        txn.rollback(50, "a");
        assertThat(asserted(60, "a", Assertion.NotExist, AssertionLevel.Strict)).hasSize(1);
    }

    private List<KeyError> asserted(
            long startTs, String key, Assertion assertion, AssertionLevel level) {
        return txn.prewrite(
                        txn.prewriteOf(
                                        startTs,
                                        put(key, "w").toBuilder().setAssertion(assertion).build())
                                .setAssertionLevel(level))
                .getErrorsList();
    }
}
