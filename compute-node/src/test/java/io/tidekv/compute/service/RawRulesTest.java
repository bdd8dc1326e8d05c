package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.APIVersion;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KeyRange;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchGetRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawBatchScanRequest;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawCASResponse;
import io.tidekv.proto.kvrpcpb.RawChecksumRequest;
import io.tidekv.proto.kvrpcpb.RawChecksumResponse;
import io.tidekv.proto.kvrpcpb.RawDeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLRequest;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLResponse;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Raw requests, as a real TiKV answered. */
class RawRulesTest {
    private final ManualClock clock = new ManualClock();
    private final ThreadScheduler scheduler = new ThreadScheduler("raw-test");
    private final MemoryRegions regions = new MemoryRegions(7, 1);
    private KvCore core = core(ApiMode.V1TTL);

    @AfterEach
    void close() {
        core.close();
        scheduler.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"V1", "V1TTL"})
    void whatIsPutIsThere(ApiMode mode) {
        core = core(mode);
        assertThat(get("a").getNotFound()).isTrue();
        put("a", "one", 0);
        assertThat(get("a").getValue()).isEqualTo(bytes("one"));
        put("a", "", 0);
        assertThat(get("a").getNotFound()).isFalse();
        core.raw()
                .delete(
                        RawDeleteRequest.newBuilder()
                                .setContext(context())
                                .setKey(bytes("a"))
                                .build())
                .join();
        assertThat(get("a").getNotFound()).isTrue();
    }

    @Test
    void emptyKeysAreKeys() {
        put("", "v", 0);
        assertThat(get("").getValue()).isEqualTo(bytes("v"));
    }

    @Test
    void batchesKeepTheOrderOfTheRequest() {
        batchPut(List.of(pair("a", "1"), pair("a", "2"), pair("b", "3")));
        List<KvPair> pairs =
                core.raw()
                        .batchGet(
                                RawBatchGetRequest.newBuilder()
                                        .setContext(context())
                                        .addKeys(bytes("b"))
                                        .addKeys(bytes("x"))
                                        .addKeys(bytes("a"))
                                        .addKeys(bytes("a"))
                                        .build())
                        .join()
                        .getPairsList();
        assertThat(shown(pairs)).containsExactly("b=3", "a=2", "a=2");
        core.raw()
                .batchDelete(
                        RawBatchDeleteRequest.newBuilder()
                                .setContext(context())
                                .addKeys(bytes("a"))
                                .addKeys(bytes("nothing"))
                                .build())
                .join();
        assertThat(scan("", "", 10, false)).containsExactly("b=3");
    }

    @Test
    void emptyBatchesAreRefused() {
        assertThat(batchPut(List.of())).isEqualTo("an empty request");
        assertThat(
                        core.raw()
                                .batchDelete(
                                        RawBatchDeleteRequest.newBuilder()
                                                .setContext(context())
                                                .build())
                                .join()
                                .getError())
                .isEqualTo("an empty request");
    }

    @Test
    void aValueEndsWithItsTime() {
        put("a", "1", 10);
        put("b", "2", 0);
        assertThat(ttl("a").getTtl()).isEqualTo(10);
        assertThat(ttl("b").getTtl()).isZero();
        assertThat(ttl("b").getNotFound()).isFalse();
        clock.advanceMillis(9_999);
        assertThat(get("a").getValue()).isEqualTo(bytes("1"));
        clock.advanceMillis(1_001);
        assertThat(get("a").getNotFound()).isTrue();
        assertThat(ttl("a").getNotFound()).isTrue();
        assertThat(scan("", "", 1, false)).containsExactly("b=2");
        assertThat(cas("a", null, "again", 0).getSucceed()).isTrue();
    }

    @Test
    void timesToLiveComeOneForAllOrOneForEach() {
        assertThat(batchPut(List.of(pair("a", "1"), pair("b", "2")), 100L)).isEmpty();
        assertThat(ttl("b").getTtl()).isEqualTo(100);
        assertThat(batchPut(List.of(pair("a", "1"), pair("b", "2")), 0L, 300L)).isEmpty();
        assertThat(ttl("a").getTtl()).isZero();
        assertThat(ttl("b").getTtl()).isEqualTo(300);
        assertThat(batchPut(List.of(pair("a", "1"), pair("b", "2")), 1L, 2L, 3L))
                .contains("length of ttls");
    }

    @Test
    void withoutTtlNoneCanBeAskedFor() {
        core = core(ApiMode.V1);
        assertThat(put("a", "v", 5).getError()).contains("ttl is not enabled");
        assertThat(get("a").getNotFound()).isTrue();
        assertThat(ttl("a").getError()).contains("ttl is not enabled");
    }

    @Test
    void compareAndSwapTellsWhatWasThere() {
        RawCASResponse miss = cas("a", "x", "v1", 0);
        assertThat(miss.getSucceed()).isFalse();
        assertThat(miss.getPreviousNotExist()).isTrue();
        assertThat(cas("a", null, "v1", 0).getSucceed()).isTrue();
        RawCASResponse other = cas("a", "wrong", "v2", 0);
        assertThat(other.getSucceed()).isFalse();
        assertThat(other.getPreviousValue()).isEqualTo(bytes("v1"));
        assertThat(cas("a", "v1", "v2", 7).getSucceed()).isTrue();
        assertThat(ttl("a").getTtl()).isEqualTo(7);
        RawCASRequest delete = casOf("a", "v2", "").toBuilder().setDelete(true).build();
        assertThat(core.raw().compareAndSwap(delete).join().getSucceed()).isTrue();
        assertThat(get("a").getNotFound()).isTrue();
    }

    @Test
    void scansGoBothWays() {
        fill();
        assertThat(scan("b", "e", 100, false)).containsExactly("b=vb", "c=vc", "d=vd");
        assertThat(scan("e", "b", 100, true)).containsExactly("d=vd", "c=vc", "b=vb");
        assertThat(scan("c", "", 2, false)).containsExactly("c=vc", "d=vd");
        assertThat(scan("d", "", 2, true)).containsExactly("c=vc", "b=vb");
        assertThat(scan("d", "b", 100, false)).isEmpty();
        assertThat(scan("b", "d", 100, true)).isEmpty();
        assertThat(scan("", "", 100, true)).isEmpty();
        assertThat(scan("a", "", 0, false)).isEmpty();
    }

    @Test
    void aRangeWithoutEndStopsAtTheNext() {
        fill();
        assertThat(batchScan(2, false, range("a", ""), range("e", "")))
                .containsExactly("a=va", "b=vb", "e=ve", "f=vf");
        assertThat(batchScan(2, true, range("f", ""), range("c", "")))
                .containsExactly("e=ve", "d=vd", "b=vb", "a=va");
        assertThat(batchScan(2, false, range("b", "b"))).containsExactly("!Invalid KeyRanges");
    }

    @Test
    void deletedRangesAreGone() {
        fill();
        assertThat(deleteRange("b", "d", "")).isEmpty();
        assertThat(scan("a", "", 100, false)).containsExactly("a=va", "d=vd", "e=ve", "f=vf");
        assertThat(deleteRange("d", "", "")).isEmpty();
        assertThat(scan("a", "", 100, false)).containsExactly("a=va");
    }

    @Test
    void columnFamiliesAreApart() {
        RawPutRequest request =
                RawPutRequest.newBuilder()
                        .setContext(context())
                        .setKey(bytes("a"))
                        .setValue(bytes("w"))
                        .setCf("write")
                        .build();
        core.raw().put(request).join();
        assertThat(get("a").getNotFound()).isTrue();
        assertThat(core.raw().put(request.toBuilder().setCf("nosuch").build()).join().getError())
                .contains("invalid cf name");
    }

    @Test
    void otherApiVersionsAreRefused() {
        for (APIVersion version : List.of(APIVersion.V1TTL, APIVersion.V2)) {
            Context context = context().toBuilder().setApiVersion(version).build();
            assertThat(
                            core.raw()
                                    .get(RawGetRequest.newBuilder().setContext(context).build())
                                    .join()
                                    .getError())
                    .contains("Api version");
        }
    }

    @Test
    void checksumsAreTikvs() {
        batchPut(List.of(pair("raw.checksum:a", "va"), pair("raw.checksum:b", "vb")));
        RawChecksumResponse response =
                core.rawRanges()
                        .checksum(
                                RawChecksumRequest.newBuilder()
                                        .setContext(context())
                                        .addRanges(range("raw.checksum:a", "raw.checksum:c"))
                                        .build())
                        .join();
        assertThat(response.getChecksum()).isEqualTo(483672098860517737L);
        assertThat(response.getTotalKvs()).isEqualTo(2);
        assertThat(response.getTotalBytes()).isEqualTo(32);
    }

    private KvCore core(ApiMode mode) {
        return new KvCore(
                regions,
                () -> CompletableFuture.completedFuture(1L),
                KvSettings.of(mode),
                clock,
                scheduler);
    }

    private void fill() {
        batchPut(
                List.of("a", "b", "c", "d", "e", "f").stream()
                        .map(key -> pair(key, "v" + key))
                        .toList());
    }

    private Context context() {
        Region region = regions.regions().get(0);
        return Context.newBuilder()
                .setRegionId(region.shape().getRegionId())
                .setRegionEpoch(RegionEpoch.newBuilder().setVersion(region.shape().getVersion()))
                .setPeer(Peer.newBuilder().setId(region.shape().getPeerId()).setStoreId(1))
                .build();
    }

    private RawPutResponse put(String key, String value, long ttl) {
        return core.raw()
                .put(
                        RawPutRequest.newBuilder()
                                .setContext(context())
                                .setKey(bytes(key))
                                .setValue(bytes(value))
                                .setTtl(ttl)
                                .build())
                .join();
    }

    private RawGetResponse get(String key) {
        return core.raw()
                .get(RawGetRequest.newBuilder().setContext(context()).setKey(bytes(key)).build())
                .join();
    }

    private RawGetKeyTTLResponse ttl(String key) {
        return core.raw()
                .ttl(
                        RawGetKeyTTLRequest.newBuilder()
                                .setContext(context())
                                .setKey(bytes(key))
                                .build())
                .join();
    }

    private String batchPut(List<KvPair> pairs, Long... ttls) {
        return core.raw()
                .batchPut(
                        RawBatchPutRequest.newBuilder()
                                .setContext(context())
                                .addAllPairs(pairs)
                                .addAllTtls(List.of(ttls))
                                .build())
                .join()
                .getError();
    }

    private RawCASRequest casOf(String key, String previous, String value) {
        RawCASRequest.Builder request =
                RawCASRequest.newBuilder()
                        .setContext(context())
                        .setKey(bytes(key))
                        .setValue(bytes(value));
        return previous == null
                ? request.setPreviousNotExist(true).build()
                : request.setPreviousValue(bytes(previous)).build();
    }

    private RawCASResponse cas(String key, String previous, String value, long ttl) {
        RawCASRequest request = casOf(key, previous, value).toBuilder().setTtl(ttl).build();
        return core.raw().compareAndSwap(request).join();
    }

    private List<String> scan(String start, String end, int limit, boolean reverse) {
        return shown(
                core.rawRanges()
                        .scan(
                                RawScanRequest.newBuilder()
                                        .setContext(context())
                                        .setStartKey(bytes(start))
                                        .setEndKey(bytes(end))
                                        .setLimit(limit)
                                        .setReverse(reverse)
                                        .build())
                        .join()
                        .getKvsList());
    }

    private List<String> batchScan(int limit, boolean reverse, KeyRange... ranges) {
        return shown(
                core.rawRanges()
                        .batchScan(
                                RawBatchScanRequest.newBuilder()
                                        .setContext(context())
                                        .addAllRanges(List.of(ranges))
                                        .setEachLimit(limit)
                                        .setReverse(reverse)
                                        .build())
                        .join()
                        .getKvsList());
    }

    private String deleteRange(String start, String end, String cf) {
        return core.rawRanges()
                .deleteRange(
                        RawDeleteRangeRequest.newBuilder()
                                .setContext(context())
                                .setStartKey(bytes(start))
                                .setEndKey(bytes(end))
                                .setCf(cf)
                                .build())
                .join()
                .getError();
    }

    private static List<String> shown(List<KvPair> pairs) {
        return pairs.stream()
                .map(
                        pair ->
                                pair.hasError()
                                        ? "!" + pair.getError().getAbort().split(":")[0]
                                        : pair.getKey().toStringUtf8()
                                                + "="
                                                + pair.getValue().toStringUtf8())
                .toList();
    }

    private static KvPair pair(String key, String value) {
        return KvPair.newBuilder().setKey(bytes(key)).setValue(bytes(value)).build();
    }

    private static KeyRange range(String start, String end) {
        return KeyRange.newBuilder().setStartKey(bytes(start)).setEndKey(bytes(end)).build();
    }

    private static ByteString bytes(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
