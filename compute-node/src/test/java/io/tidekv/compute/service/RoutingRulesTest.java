package io.tidekv.compute.service;

import static io.tidekv.compute.service.TxnClient.key;
import static io.tidekv.compute.service.TxnClient.put;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.DeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.SplitRegionRequest;
import io.tidekv.proto.kvrpcpb.SplitRegionResponse;
import io.tidekv.proto.kvrpcpb.UnsafeDestroyRangeRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which requests a store refuses, in which order, as a real TiKV answered. */
@SuppressWarnings("deprecation") // old clients read left and right
class RoutingRulesTest {
    private final TxnClient txn = new TxnClient();

    @AfterEach
    void close() {
        txn.close();
    }

    @Test
    void theStoreIsCheckedFirst() {
        Context.Builder context = good().setRegionId(999).setTerm(1);
        context.getPeerBuilder().setStoreId(777);
        context.getRegionEpochBuilder().setVersion(99);
        assertThat(refusal(context)).isInstanceOf(KvError.StoreNotMatch.class);
        assertThat(refusal(good().clearPeer()))
                .isEqualTo(new KvError.StoreNotMatch(0, 1, "to store id 0, mine 1"));
    }

    @Test
    void thenTheRegionThenThePeerThenTheTermThenTheVersion() {
        Context.Builder context = good().setTerm(1);
        context.getRegionEpochBuilder().setVersion(99);
        context.getPeerBuilder().setId(888);
        assertThat(refusal(context.clone().setRegionId(999)))
                .isInstanceOf(KvError.RegionNotFound.class);
        assertThat(refusal(context)).isInstanceOf(KvError.PeerNotMatch.class);
        context.setPeer(good().getPeer());
        assertThat(refusal(context)).isInstanceOf(KvError.StaleCommand.class);
        assertThat(refusal(context.setTerm(0))).isInstanceOf(KvError.EpochNotMatch.class);
        context.getRegionEpochBuilder().setVersion(1).setConfVer(0);
        assertThat(refusal(context)).isNull();
    }

    @Test
    void aMissingEpochDoesNotMatch() {
        KvError error = refusal(good().clearRegionEpoch());
        assertThat(error).isInstanceOf(KvError.EpochNotMatch.class);
        assertThat(((KvError.EpochNotMatch) error).current()).hasSize(1);
    }

    @Test
    void afterASplitTheOldEpochGetsAllParts() {
        Context old = good().build();
        split(false, "m");
        KvError.EpochNotMatch error = (KvError.EpochNotMatch) refusal(old.toBuilder());
        assertThat(error.current()).hasSize(2);
        assertThat(error.current().get(0).shape().getRegionId()).isEqualTo(old.getRegionId());
        assertThat(error.current().get(1).shape().getEndKey())
                .isEqualTo(error.current().get(0).shape().getStartKey());
    }

    @Test
    void aSplitSortsItsKeysAndTheLastPartKeepsTheId() {
        long id = good().getRegionId();
        SplitRegionResponse response = split(false, "d", "b", "b", "c");
        assertThat(response.getRegionsList()).hasSize(4);
        assertThat(response.getRegions(3).getId()).isEqualTo(id);
        assertThat(response.getRegions(1).getStartKey()).isEqualTo(encoded("b"));
        assertThat(response.getRegions(1).getEndKey()).isEqualTo(encoded("c"));
        assertThat(response.hasLeft()).isFalse();
        assertThat(split(false, "x").getRight().getId()).isEqualTo(id);
    }

    @Test
    void rawSplitKeysAreTakenAsTheyAre() {
        assertThat(split(true, "m").getRight().getStartKey()).isEqualTo(key("m"));
    }

    @Test
    void splitsThatMakeNoSenseAreRefused() {
        assertThat(failure(splitOf(false))).isInstanceOf(KvError.InvalidRequest.class);
        split(false, "m");
        SplitRegionRequest again = splitOf(false, "m");
        assertThat(failure(again)).isInstanceOf(KvError.InvalidRequest.class);
        assertThat(failure(splitOf(false, "a"))).isInstanceOf(KvError.KeyNotInRegion.class);
        Context stale =
                again.getContext().toBuilder().setRegionEpoch(good().getRegionEpoch()).build();
        stale =
                stale.toBuilder()
                        .setRegionEpoch(stale.getRegionEpoch().toBuilder().setVersion(1))
                        .build();
        assertThat(failure(again.toBuilder().setContext(stale).build()))
                .isInstanceOf(KvError.EpochNotMatch.class);
    }

    @Test
    void keysOfOtherRegionsAreKeyErrorsOfTransactions() {
        split(false, "m");
        Context right = txn.context("z");
        assertThat(
                        txn.get(
                                        GetRequest.newBuilder()
                                                .setContext(right)
                                                .setKey(key("a"))
                                                .setVersion(9))
                                .getError()
                                .getAbort())
                .contains("route");
        assertThat(
                        txn.prewrite(
                                        txn.prewriteOf(10, put("z", "v"), put("a", "v"))
                                                .setContext(right))
                                .getErrors(0)
                                .getAbort())
                .contains("route");
        assertThat(txn.scan(txn.scanOf("a", "z", 9).setContext(right)).get(0).getError().getAbort())
                .contains("region");
        assertThat(txn.locks()).isEmpty();
    }

    @Test
    void keysOfOtherRegionsAreRegionErrorsOfRanges() {
        split(false, "m");
        Context right = txn.context("z");
        assertThat(
                        failure(
                                txn.core
                                        .resolving()
                                        .scanLock(
                                                ScanLockRequest.newBuilder()
                                                        .setContext(right)
                                                        .setStartKey(key("a"))
                                                        .build())))
                .isInstanceOf(KvError.KeyNotInRegion.class);
        DeleteRangeRequest.Builder range =
                DeleteRangeRequest.newBuilder().setContext(right).setEndKey(key("z"));
        assertThat(failure(txn.core.txn().deleteRange(range.setStartKey(key("a")).build())))
                .isInstanceOf(KvError.KeyNotInRegion.class);
        assertThat(failure(txn.core.txn().deleteRange(range.setStartKey(key("zz")).build())))
                .isInstanceOf(KvError.InvalidRequest.class);
    }

    @Test
    void rawKeysOfOtherRegionsDependOnTheRequest() {
        split(true, "m");
        Context right = txn.context("z");
        assertThat(
                        txn.core
                                .raw()
                                .get(
                                        RawGetRequest.newBuilder()
                                                .setContext(right)
                                                .setKey(key("a"))
                                                .build())
                                .join()
                                .getError())
                .contains("route");
        assertThat(
                        failure(
                                txn.core
                                        .raw()
                                        .put(
                                                RawPutRequest.newBuilder()
                                                        .setContext(right)
                                                        .setKey(key("a"))
                                                        .build())))
                .isInstanceOf(KvError.KeyNotInRegion.class);
        assertThat(
                        failure(
                                txn.core
                                        .rawRanges()
                                        .scan(
                                                RawScanRequest.newBuilder()
                                                        .setContext(right)
                                                        .setStartKey(key("a"))
                                                        .setLimit(1)
                                                        .build())))
                .isInstanceOf(KvError.KeyNotInRegion.class);
    }

    @Test
    void writesAboveTheEntryLimitAreRefused() {
        KvError error =
                failure(
                        txn.core
                                .raw()
                                .put(
                                        RawPutRequest.newBuilder()
                                                .setContext(good())
                                                .setKey(key("a"))
                                                .setValue(ByteString.copyFrom(new byte[9_000_000]))
                                                .build()));
        assertThat(error).isInstanceOf(KvError.EntryTooLarge.class);
        assertThat(((KvError.EntryTooLarge) error).bytes()).isGreaterThan(9_000_000);
    }

    @Test
    void destroyedRangesReachOverRegions() {
        txn.write(10, 20, put("a", "v"));
        txn.write(10, 20, put("z", "v"));
        split(false, "m");
        txn.core
                .store()
                .destroyRange(
                        UnsafeDestroyRangeRequest.newBuilder()
                                .setStartKey(key("a"))
                                .setEndKey(key("zz"))
                                .build())
                .join();
        assertThat(txn.get("a", 30).getNotFound()).isTrue();
        assertThat(txn.get("z", 30).getNotFound()).isTrue();
    }

    @Test
    void aClusterOfAnotherModeRefusesTransactions() {
        try (TxnClient ttl = new TxnClient(txn.regions, KvSettings.of(ApiMode.V1TTL))) {
            assertThat(ttl.get("a", 10).getError().getAbort()).contains("Api version");
            assertThat(ttl.prewrite(10, put("a", "v")).get(0).getAbort()).contains("Api version");
        }
    }

    private Context.Builder good() {
        Region region = txn.regions.holding(Memcomparable.encode(new byte[] {'z'}));
        return txn.context(region);
    }

    private KvError refusal(Context.Builder context) {
        return failure(
                txn.core
                        .reads()
                        .get(
                                GetRequest.newBuilder()
                                        .setContext(context)
                                        .setKey(key("z"))
                                        .setVersion(5)
                                        .build()));
    }

    private SplitRegionRequest splitOf(boolean raw, String... keys) {
        SplitRegionRequest.Builder request =
                SplitRegionRequest.newBuilder().setContext(good()).setIsRawKv(raw);
        for (String key : keys) {
            request.addSplitKeys(key(key));
        }
        return request.build();
    }

    private SplitRegionResponse split(boolean raw, String... keys) {
        return txn.core.store().split(splitOf(raw, keys)).join();
    }

    private KvError failure(SplitRegionRequest request) {
        return failure(txn.core.store().split(request));
    }

    private static KvError failure(CompletableFuture<?> future) {
        try {
            future.join();
            return null;
        } catch (CompletionException e) {
            return ((KvException) Futures.unwrap(e)).error();
        }
    }

    private static ByteString encoded(String key) {
        return ByteString.copyFrom(Memcomparable.encode(key(key).toByteArray()));
    }
}
