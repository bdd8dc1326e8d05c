package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.of;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidekv.compute.engine.ApiMode;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.GetResponse;
import io.tidekv.proto.kvrpcpb.IsolationLevel;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsRequest;
import io.tidekv.proto.kvrpcpb.MvccGetByStartTsResponse;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.WriteConflict;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads at a timestamp, as a real TiKV answered. */
class ReadRulesTest {
    private final TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void aVersionIsSeenFromItsCommitOn() {
        txn.write(10, 20, put("a", "one"));
        txn.write(30, 40, of(Op.Del, "a"));
        txn.write(50, 60, put("a", "three"));
        assertThat(txn.get("a", 19).getNotFound()).isTrue();
        assertThat(txn.get("a", 20).getValue()).isEqualTo(key("one"));
        assertThat(txn.get("a", 40).getNotFound()).isTrue();
        assertThat(txn.get("a", 60).getValue()).isEqualTo(key("three"));
        assertThat(txn.get("a", -1L).getValue()).isEqualTo(key("three"));
    }

    @Test
    void anEmptyValueIsNotAMissingOne() {
        txn.write(10, 20, put("a", ""));
        GetResponse response = txn.get("a", 20);
        assertThat(response.getNotFound()).isFalse();
        assertThat(response.getValue().isEmpty()).isTrue();
    }

    @Test
    void valuesAroundTheShortLimitComeBack() {
        for (int length : new int[] {254, 255, 256, 5000}) {
            txn.write(10, 20, put("len" + length, "x".repeat(length)));
            assertThat(txn.get("len" + length, 20).getValue().size()).isEqualTo(length);
        }
    }

    @Test
    void aLockAtOrBelowTheReadBlocks() {
        txn.write(1, 5, put("a", "old"));
        txn.prewrite(10, put("a", "new"));
        assertThat(txn.get("a", 9).getValue()).isEqualTo(key("old"));
        assertThat(txn.get("a", 10).getError().getLocked().getLockVersion()).isEqualTo(10);
    }

    @Test
    void lockOnlyLocksAndThoseOfLargeTransactionsPass() {
        txn.write(1, 5, put("a", "old"));
        txn.prewrite(10, of(Op.Lock, "a"));
        assertThat(txn.get("a", 20).getValue()).isEqualTo(key("old"));
        txn.write(1, 5, put("b", "old"));
        txn.prewrite(txn.prewriteOf(10, put("b", "new")).setMinCommitTs(30));
        assertThat(txn.get("b", 29).getValue()).isEqualTo(key("old"));
        assertThat(txn.get("b", 30).getError().hasLocked()).isTrue();
    }

    @Test
    void theNewestReadPassesThePrimarysLockOnly() {
        txn.write(1, 2, put("a", "old"), put("b", "old"));
        txn.prewrite(10, put("a", "new"), put("b", "new"));
        assertThat(txn.get("a", -1L).getValue()).isEqualTo(key("old"));
        assertThat(txn.get("b", -1L).getError().hasLocked()).isTrue();
    }

    @Test
    void whatTheReaderKnowsOfLocksCounts() {
        txn.write(1, 5, put("a", "old"));
        txn.prewrite(10, put("a", "new"));
        assertThat(get(Context.newBuilder().addResolvedLocks(10), 11).getValue())
                .isEqualTo(key("old"));
        assertThat(get(Context.newBuilder().addCommittedLocks(10), 11).getValue())
                .isEqualTo(key("new"));
        assertThat(get(Context.newBuilder().addResolvedLocks(9), 11).getError().hasLocked())
                .isTrue();
    }

    @Test
    void readCommittedIgnoresLocks() {
        txn.write(1, 5, put("a", "old"));
        txn.prewrite(10, put("a", "new"));
        assertThat(get(Context.newBuilder().setIsolationLevel(IsolationLevel.RC), 11).getValue())
                .isEqualTo(key("old"));
    }

    @Test
    void checkedReadsRefuseAnythingNewer() {
        txn.write(10, 20, put("a", "1"));
        txn.write(30, 40, of(Op.Lock, "a"));
        Context.Builder checked = Context.newBuilder().setIsolationLevel(IsolationLevel.RCCheckTS);
        WriteConflict conflict = get(checked, 25).getError().getConflict();
        assertThat(conflict.getReason()).isEqualTo(WriteConflict.Reason.RcCheckTs);
        assertThat(conflict.getConflictCommitTs()).isEqualTo(40);
        assertThat(get(checked, 45).getValue()).isEqualTo(key("1"));
    }

    @Test
    void commitTimestampsAreToldOnRequest() {
        txn.write(10, 20, put("a", "1"));
        txn.write(30, 40, of(Op.Lock, "a"));
        GetRequest.Builder request =
                GetRequest.newBuilder()
                        .setContext(txn.context("a"))
                        .setKey(key("a"))
                        .setVersion(50);
        assertThat(txn.get(request).getCommitTs()).isZero();
        assertThat(txn.get(request.setNeedCommitTs(true)).getCommitTs()).isEqualTo(20);
    }

    @Test
    void batchGetKeepsTheOrderAndLeavesOutWhatIsMissing() {
        txn.write(10, 20, put("a", "va"), put("b", "vb"));
        txn.prewrite(50, put("b", "n"));
        assertThat(txn.shown(txn.batchGet(45, "x", "b", "a", "a")))
                .containsExactly("b=vb", "a=va", "a=va");
        assertThat(txn.shown(txn.batchGet(60, "a", "b", "x"))).containsExactly("a=va", "!b");
    }

    @Test
    void scansGoBothWaysAndSkipDeletedKeys() {
        txn.write(10, 11, put("a", "1"), put("b", "2"), put("c", "3"), put("d", "4"));
        txn.write(20, 21, of(Op.Del, "b"));
        txn.write(30, 31, of(Op.Lock, "c"));
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "d", 15))))
                .containsExactly("a=1", "b=2", "c=3");
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "", 40))))
                .containsExactly("a=1", "c=3", "d=4");
        assertThat(txn.shown(txn.scan(txn.scanOf("d", "a", 40).setReverse(true))))
                .containsExactly("c=3", "a=1");
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "", 40).setKeyOnly(true).setLimit(2))))
                .containsExactly("a=", "c=");
    }

    @Test
    void invertedAndEmptyRangesHoldNothing() {
        txn.write(10, 11, put("b", "2"));
        assertThat(txn.scan(txn.scanOf("c", "a", 40))).isEmpty();
        assertThat(txn.scan(txn.scanOf("a", "c", 40).setReverse(true))).isEmpty();
        assertThat(txn.scan(txn.scanOf("b", "b", 40))).isEmpty();
        assertThat(txn.scan(txn.scanOf("", "", 40).setReverse(true))).isEmpty();
        assertThat(txn.scan(txn.scanOf("a", "c", 40).setLimit(0))).isEmpty();
    }

    @Test
    void lockedKeysStandAmongTheOthers() {
        txn.write(10, 11, put("a", "1"), put("b", "2"), put("c", "3"));
        txn.prewrite(30, put("b", "n"), put("bb", "n"));
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "", 40))))
                .containsExactly("a=1", "!b", "!bb", "c=3");
        assertThat(txn.shown(txn.scan(txn.scanOf("z", "", 40).setReverse(true))))
                .containsExactly("c=3", "!bb", "!b", "a=1");
    }

    @Test
    void answersBeyondTheBoundAreRefusedNotCut() {
        KvSettings small = KvSettings.of(ApiMode.V1).withBytes(1 << 20, 1 << 20, 1000);
        try (TxnClient client = new TxnClient(new MemoryRegions(7, 1), small)) {
            client.write(10, 11, put("a", "x".repeat(600)), put("b", "x".repeat(600)));
            assertThat(client.scan(client.scanOf("a", "", 20)).get(0).getError().getAbort())
                    .contains("fewer keys");
            assertThat(client.batchGet(20, "a", "b").get(0).getError().getAbort())
                    .contains("fewer keys");
            assertThat(client.get("a", 20).getValue().size()).isEqualTo(600);
        }
    }

    private GetResponse get(Context.Builder extra, long ts) {
        return txn.get(
                GetRequest.newBuilder()
                        .setContext(txn.context("a").toBuilder().mergeFrom(extra.build()))
                        .setKey(key("a"))
                        .setVersion(ts));
    }

    @Test
    void aTransactionIsFoundByItsStart() {
        txn.write(10, 20, put("a", "v"));
        txn.prewrite(30, put("b", "w"));
        assertThat(byStart(10).getKey()).isEqualTo(key("a"));
        assertThat(byStart(10).getInfo().getWrites(0).getCommitTs()).isEqualTo(20);
        assertThat(byStart(30).getKey()).isEqualTo(key("b"));
        assertThat(byStart(30).getInfo().getLock().getStartTs()).isEqualTo(30);
        assertThat(byStart(31)).isEqualTo(MvccGetByStartTsResponse.getDefaultInstance());
    }

    private MvccGetByStartTsResponse byStart(long startTs) {
        return txn.core
                .resolving()
                .mvccGetByStartTs(
                        MvccGetByStartTsRequest.newBuilder()
                                .setContext(txn.context("a"))
                                .setStartTs(startTs)
                                .build())
                .join();
    }
}
