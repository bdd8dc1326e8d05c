package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.of;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.ByteString;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.proto.kvrpcpb.FlashbackToVersionRequest;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.MvccWrite;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrepareFlashbackToVersionRequest;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.SplitRegionRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Flashback of a region, as tikv's flashback_to_version does it. */
class FlashbackRulesTest {
    private static final String LONG = "x".repeat(300);
    private static final int KEYS = 600;

    private final TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    private String prepare(long startTs, long version) {
        return txn.core
                .flashback()
                .prepare(
                        PrepareFlashbackToVersionRequest.newBuilder()
                                .setContext(txn.context("a"))
                                .setStartKey(key("a"))
                                .setEndKey(key("z"))
                                .setStartTs(startTs)
                                .setVersion(version)
                                .build())
                .join()
                .getError();
    }

    private String flashback(long startTs, long commitTs, long version) {
        return txn.core
                .flashback()
                .flashback(
                        FlashbackToVersionRequest.newBuilder()
                                .setContext(txn.context("a"))
                                .setStartKey(key("a"))
                                .setEndKey(key("z"))
                                .setStartTs(startTs)
                                .setCommitTs(commitTs)
                                .setVersion(version)
                                .build())
                .join()
                .getError();
    }

    private static KvError error(Runnable request) {
        Throwable error = catchThrowable(request::run);
        return ((KvException) Futures.unwrap(error)).error();
    }

    private void assertShut(Runnable request, long startTs) {
        assertThat(error(request))
                .isInstanceOfSatisfying(
                        KvError.FlashbackInProgress.class,
                        e -> assertThat(e.startTs()).isEqualTo(startTs));
    }

    @Test
    void everyKeyLooksAsItDidAtTheVersion() {
        txn.write(10, 20, put("changed", "old"), put("long", LONG), put("gone", "was"));
        txn.write(10, 20, put("same", "same"));
        txn.write(30, 40, put("born", "later"), put("changed", "new"), put("long", "short"));
        txn.write(30, 40, of(Op.Del, "gone"));
        txn.prewrite(42, put("locked", "v"), put("same", "never"));
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(txn.get("changed", 45).getValue().toStringUtf8()).isEqualTo("new");
        assertThat(flashback(50, 60, 25)).isEmpty();
        assertThat(txn.locks()).isEmpty();
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "z", 60))))
                .containsExactly("changed=old", "gone=was", "long=" + LONG, "same=same");
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "z", 59))))
                .containsExactly("born=later", "changed=new", "long=short", "same=same");
        assertThat(txn.inspect("same").getWritesList())
                .as("not written again, beside the rollback")
                .extracting(MvccWrite::getType)
                .containsExactly(Op.Rollback, Op.Put);
        txn.write(70, 80, put("changed", "newest"));
    }

    @Test
    void itTakesManyBatchesAndCanBeRepeated() {
        for (int i = 0; i < KEYS; i++) {
            txn.write(10, 20, put(name(i), "old"));
            txn.write(30, 40, put(name(i), i % 3 == 0 ? LONG : "new"));
            txn.prewrite(45, put("l" + name(i), "lock"));
        }
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(flashback(50, 60, 25)).isEmpty();
        // As after a lost answer: all again, with the same timestamps, then with others.
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(flashback(50, 60, 25)).isEmpty();
        assertThat(prepare(70, 25)).isEmpty();
        assertThat(flashback(70, 80, 25)).isEmpty();
        for (long ts : new long[] {60, 80}) {
            for (int i = 0; i < KEYS; i += 7) {
                assertThat(txn.get(name(i), ts).getValue().toStringUtf8()).isEqualTo("old");
            }
        }
        assertThat(txn.locks()).isEmpty();
        assertThat(txn.inspect(name(5)).getWritesList())
                .extracting(MvccWrite::getCommitTs)
                .containsExactly(80L, 60L, 40L, 20L);
    }

    private static String name(int i) {
        return "k" + (1000 + i);
    }

    @Test
    void whileItIsUnderWayOnlyOlderReadsAreServed() {
        txn.write(10, 20, put("b", "old"));
        txn.write(30, 40, put("b", "new"));
        assertThat(prepare(50, 25)).isEmpty();
        List<Runnable> refused = new ArrayList<>();
        refused.add(() -> txn.get("b", 50));
        refused.add(() -> txn.get("b", -1));
        refused.add(() -> txn.batchGet(100, "b"));
        refused.add(() -> txn.scan(txn.scanOf("a", "z", 100)));
        refused.add(txn::locks);
        refused.add(() -> txn.prewrite(100, put("c", "v")));
        refused.add(() -> txn.commit(100, 110, "c"));
        refused.add(() -> txn.rollback(100, "c"));
        refused.add(() -> txn.status(txn.statusOf("b", 50)));
        refused.add(() -> txn.resolve(50, 0, "b"));
        refused.add(() -> txn.inspect("b"));
        refused.add(
                () ->
                        txn.core
                                .store()
                                .split(
                                        SplitRegionRequest.newBuilder()
                                                .setContext(txn.context("b"))
                                                .addSplitKeys(key("c"))
                                                .build())
                                .join());
        refused.forEach(request -> assertShut(request, 50));
        assertThat(txn.get("b", 49).getValue().toStringUtf8()).isEqualTo("new");
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "z", 49)))).containsExactly("b=new");
        assertThat(txn.locks(ScanLockRequest.newBuilder().setMaxVersion(49))).isEmpty();
        assertThat(flashback(50, 60, 25)).isEmpty();
        assertThat(txn.get("b", -1).getValue().toStringUtf8()).isEqualTo("old");
    }

    @Test
    void whatIsNotPreparedIsRefused() {
        txn.write(10, 20, put("b", "old"));
        txn.write(30, 40, put("b", "new"));
        assertThat(error(() -> flashback(50, 60, 25)))
                .isInstanceOf(KvError.FlashbackNotPrepared.class);
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(flashback(51, 60, 25)).as("of another start").contains("TxnLockNotFound");
        assertThat(flashback(50, 50, 25)).contains("above its start");
        assertThat(prepare(0, 0)).contains("start timestamp");
        assertThat(prepare(50, 50)).contains("below");
        assertShut(() -> txn.get("b", 100), 50);
        assertThat(flashback(50, 60, 25)).isEmpty();
        assertThatThrownBy(() -> flashback(50, 60, 25)).hasMessageContaining("not prepared");
    }

    @Test
    void aRegionWithoutChangesIsOpenedAgain() {
        txn.write(10, 20, put("b", "old"));
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(txn.core.flashback()).isNotNull();
        assertThat(flashback(50, 60, 25)).isEmpty();
        assertThat(txn.inspect("b").getWritesCount()).isEqualTo(1);
    }

    @Test
    void anotherFlashbackTakesTheRegionOver() {
        txn.write(10, 20, put("b", "old"));
        txn.write(30, 40, put("b", "new"));
        Mutation large = put("c", "v").toBuilder().setValue(ByteString.copyFromUtf8(LONG)).build();
        txn.write(30, 40, large);
        assertThat(prepare(50, 25)).isEmpty();
        assertThat(prepare(55, 45)).isEmpty();
        assertShut(() -> txn.get("b", 60), 55);
        assertThat(flashback(55, 60, 45)).isEmpty();
        assertThat(txn.shown(txn.scan(txn.scanOf("a", "z", 100))))
                .containsExactly("b=new", "c=" + LONG);
        assertThat(txn.locks()).isEmpty();
    }
}
