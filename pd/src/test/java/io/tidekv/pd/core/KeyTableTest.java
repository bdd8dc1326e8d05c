package io.tidekv.pd.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.tidekv.proto.etcdserverpb.Compare;
import io.tidekv.proto.etcdserverpb.DeleteRangeRequest;
import io.tidekv.proto.etcdserverpb.PutRequest;
import io.tidekv.proto.etcdserverpb.RangeRequest;
import io.tidekv.proto.etcdserverpb.RangeResponse;
import io.tidekv.proto.etcdserverpb.RequestOp;
import io.tidekv.proto.etcdserverpb.TxnRequest;
import io.tidekv.proto.etcdserverpb.TxnResponse;
import io.tidekv.proto.mvccpb.KeyValue;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeyTableTest {
    private final KeyTable table = new KeyTable(List.of());

    @Test
    void countsVersionsAndRemembersWhenAKeyWasMade() {
        put("a", "1", 5);
        put("a", "2", 9);
        KeyValue kv = table.range(key("a").build()).getKvs(0);
        assertThat(kv.getValue()).isEqualTo(text("2"));
        assertThat(kv.getCreateRevision()).isEqualTo(5);
        assertThat(kv.getModRevision()).isEqualTo(9);
        assertThat(kv.getVersion()).isEqualTo(2);
        assertThat(delete("a", "", 10)).isEqualTo(1);
        put("a", "3", 11);
        assertThat(table.range(key("a").build()).getKvs(0).getCreateRevision()).isEqualTo(11);
    }

    @Test
    void readsRangesInTheOrderAskedFor() {
        put("b", "x", 1);
        put("a", "z", 2);
        put("c", "y", 3);
        RangeRequest.Builder all = key("a").setRangeEnd(text("d"));
        assertThat(keys(all)).containsExactly("a", "b", "c");
        all.setSortOrder(RangeRequest.SortOrder.DESCEND)
                .setSortTarget(RangeRequest.SortTarget.CREATE);
        assertThat(keys(all)).containsExactly("c", "a", "b");
        assertThat(keys(all.setMaxCreateRevision(2))).containsExactly("a", "b");
        RangeResponse one = table.range(key("a").setRangeEnd(zero()).setLimit(1).build());
        assertThat(one.getMore()).isTrue();
        assertThat(one.getCount()).isEqualTo(3);
        assertThat(keys(key("a").setRangeEnd(text("c")))).containsExactly("a", "b");
        assertThat(keys(key("d").setRangeEnd(text("a")))).isEmpty();
    }

    @Test
    void aTransactionDoesOneBranch() {
        TxnRequest.Builder createOnce =
                TxnRequest.newBuilder()
                        .addCompare(
                                Compare.newBuilder()
                                        .setKey(text("k"))
                                        .setTarget(Compare.CompareTarget.CREATE)
                                        .setCreateRevision(0))
                        .addSuccess(op("k", "mine"))
                        .addFailure(RequestOp.newBuilder().setRequestRange(key("k")));
        assertThat(table.txn(createOnce.build(), 3).getSucceeded()).isTrue();
        TxnResponse second = table.txn(createOnce.setSuccess(0, op("k", "other")).build(), 4);
        assertThat(second.getSucceeded()).isFalse();
        assertThat(second.getResponses(0).getResponseRange().getKvs(0).getValue())
                .isEqualTo(text("mine"));
    }

    @Test
    void refusesWholeTransactionsAndChangesNothing() {
        TxnRequest.Builder bad =
                TxnRequest.newBuilder()
                        .addSuccess(op("a", "1"))
                        .addSuccess(
                                RequestOp.newBuilder()
                                        .setRequestPut(
                                                PutRequest.newBuilder()
                                                        .setKey(text("b"))
                                                        .setValue(
                                                                ByteString.copyFrom(
                                                                        new byte[2 << 20]))));
        assertThatThrownBy(() -> table.txn(bad.build(), 1))
                .isInstanceOf(CommandRefused.class)
                .hasMessageContaining("space exceeded");
        assertThatThrownBy(() -> put("", "x", 1)).hasMessageContaining("key is not provided");
        assertThat(table.all()).isEmpty();
    }

    private void put(String key, String value, long revision) {
        table.txn(TxnRequest.newBuilder().addSuccess(op(key, value)).build(), revision);
    }

    private long delete(String key, String end, long revision) {
        RequestOp.Builder op = RequestOp.newBuilder();
        op.setRequestDeleteRange(
                DeleteRangeRequest.newBuilder().setKey(text(key)).setRangeEnd(text(end)));
        return table.txn(TxnRequest.newBuilder().addSuccess(op).build(), revision)
                .getResponses(0)
                .getResponseDeleteRange()
                .getDeleted();
    }

    private List<String> keys(RangeRequest.Builder request) {
        return table.range(request.build()).getKvsList().stream()
                .map(kv -> kv.getKey().toStringUtf8())
                .toList();
    }

    private static RequestOp op(String key, String value) {
        return RequestOp.newBuilder()
                .setRequestPut(PutRequest.newBuilder().setKey(text(key)).setValue(text(value)))
                .build();
    }

    private static RangeRequest.Builder key(String key) {
        return RangeRequest.newBuilder().setKey(text(key));
    }

    private static ByteString text(String text) {
        return ByteString.copyFromUtf8(text);
    }

    private static ByteString zero() {
        return ByteString.copyFrom(new byte[1]);
    }
}
