package io.tidekv.compute.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.kvrpcpb.APIVersion;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawCASResponse;
import io.tidekv.proto.kvrpcpb.RawDeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawGetKeyTTLRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Raw data in API V2: keys with versions, keyspaces, flags of values. */
class RawV2Test {
    private static final long SEED = Long.getLong("seed", 4242);
    private static final String END = "r\0\0\1";

    private final ManualClock clock = new ManualClock();
    private final ThreadScheduler timers = new ThreadScheduler("test-timers");
    private final MemoryRegions regions = new MemoryRegions(7, 1);
    private final AtomicLong timestamps = new AtomicLong(1000);
    private final KvCore core =
            new KvCore(
                    regions,
                    () -> CompletableFuture.completedFuture(timestamps.incrementAndGet()),
                    KvSettings.of(ApiMode.V2),
                    clock,
                    timers);

    @AfterEach
    void close() {
        core.close();
        timers.close();
    }

    @Test
    void storesAsTikvDoes() {
        put("a", "v", 0);
        core.raw()
                .delete(
                        RawDeleteRequest.newBuilder()
                                .setContext(context())
                                .setKey(key("b"))
                                .build())
                .join();
        List<String> rows = new ArrayList<>();
        try (KvSnapshot view = regions.regions().get(0).read(1).join();
                KvIterator all = view.iterator(Cf.DEFAULT, null, null)) {
            for (all.seekToFirst(); all.isValid(); all.next()) {
                rows.add(hex(all.key()) + "=" + hex(all.value()));
            }
        }
        assertThat(rows)
                .containsExactly(
                        // r 0 0 0 a, padded; ts 1001 descending; the value and no flags
                        "7200000061000000fc" + "fffffffffffffc16" + "=7600",
                        // a deletion is a version with its flag
                        "7200000062000000fc" + "fffffffffffffc15" + "=02");
    }

    @Test
    void aValueEndsWithItsTime() {
        put("a", "v", 10);
        assertThat(ttl("a")).isEqualTo(10);
        clock.advanceMillis(9_000);
        assertThat(get("a")).isEqualTo("v");
        clock.advanceMillis(1_000);
        assertThat(get("a")).isNull();
        put("a", "w", 0);
        assertThat(get("a")).isEqualTo("w");
        assertThat(ttl("a")).isZero();
    }

    @Test
    void refusesKeysAndVersionsOfOthers() {
        RawGetRequest.Builder request = RawGetRequest.newBuilder().setContext(context());
        for (String key : List.of("", "x\0\0\0a", "a", "t1", "m")) {
            request.setKey(ByteString.copyFromUtf8(key));
            assertThat(core.raw().get(request.build()).join().getError()).as(key).isNotEmpty();
        }
        Context v1 = context().toBuilder().setApiVersion(APIVersion.V1).build();
        request.setKey(key("a")).setContext(v1);
        assertThat(core.raw().get(request.build()).join().getError()).contains("Api version");
        request.setContext(context()).setCf("default");
        assertThat(core.raw().get(request.build()).join().getError()).contains("cf");
    }

    /** Random commands against a map; few keys, so that each gets many versions. */
    @Test
    void behavesLikeAMap() {
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        TreeMap<String, String> model = new TreeMap<>();
        for (int i = 0; i < 6_000; i++) {
            String key = random.nextInt(20) == 0 ? "hot" : "k" + (char) ('a' + random.nextInt(12));
            String value = "v" + i;
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    put(key, value, 0);
                    model.put(key, value);
                }
                case 3 -> {
                    delete(key);
                    model.remove(key);
                }
                case 4 -> {
                    putTwo(key, key + "2", value);
                    model.put(key, value);
                    model.put(key + "2", value);
                }
                case 5 -> swap(key, value, model, random.nextBoolean());
                case 6 -> {
                    if (random.nextInt(50) == 0) {
                        deleteRange("kc", "kf");
                        model.subMap("kc", "kf").clear();
                    }
                }
                default -> checkScans(random, model);
            }
            assertThat(get(key)).as("step %s", i).isEqualTo(model.get(key));
        }
        assertThat(scan("", "", 1000, false)).isEqualTo(pairs(model));
        assertThat(scan("", "", 1000, true)).isEqualTo(pairs(model.descendingMap()));
    }

    private void checkScans(Random random, TreeMap<String, String> model) {
        String low = "k" + (char) ('a' + random.nextInt(12));
        String high = "k" + (char) ('a' + random.nextInt(13));
        int limit = 1 + random.nextInt(8);
        boolean reverse = random.nextBoolean();
        NavigableMap<String, String> part =
                low.compareTo(high) < 0
                        ? model.subMap(low, true, high, false)
                        : new TreeMap<String, String>();
        List<String> expected = pairs(reverse ? part.descendingMap() : part);
        assertThat(scan(low, high, limit, reverse))
                .isEqualTo(expected.subList(0, Math.min(limit, expected.size())));
    }

    private static List<String> pairs(Map<String, String> map) {
        List<String> pairs = new ArrayList<>();
        map.forEach((key, value) -> pairs.add(key + "=" + value));
        return pairs;
    }

    private List<String> scan(String low, String high, int limit, boolean reverse) {
        ByteString start = key(low);
        ByteString end = high.isEmpty() ? ByteString.copyFromUtf8(END) : key(high);
        RawScanRequest request =
                RawScanRequest.newBuilder()
                        .setContext(context())
                        .setStartKey(reverse ? end : start)
                        .setEndKey(reverse ? start : end)
                        .setReverse(reverse)
                        .setLimit(limit)
                        .build();
        List<String> found = new ArrayList<>();
        for (KvPair pair : core.rawRanges().scan(request).join().getKvsList()) {
            assertThat(pair.hasError()).isFalse();
            String key = pair.getKey().substring(4).toStringUtf8();
            found.add(key + "=" + pair.getValue().toStringUtf8());
        }
        return found;
    }

    private void swap(String key, String value, TreeMap<String, String> model, boolean matching) {
        String old = model.get(key);
        RawCASRequest.Builder request =
                RawCASRequest.newBuilder()
                        .setContext(context())
                        .setKey(key(key))
                        .setValue(ByteString.copyFromUtf8(value));
        if (old == null) {
            request.setPreviousNotExist(matching);
        } else {
            request.setPreviousValue(ByteString.copyFromUtf8(matching ? old : old + "?"));
        }
        RawCASResponse response = core.raw().compareAndSwap(request.build()).join();
        assertThat(response.getSucceed()).isEqualTo(matching);
        assertThat(response.getPreviousNotExist()).isEqualTo(old == null);
        if (matching) {
            model.put(key, value);
        }
    }

    private void put(String key, String value, long ttl) {
        core.raw()
                .put(
                        RawPutRequest.newBuilder()
                                .setContext(context())
                                .setKey(key(key))
                                .setValue(ByteString.copyFromUtf8(value))
                                .setTtl(ttl)
                                .build())
                .join();
    }

    private void putTwo(String one, String two, String value) {
        ByteString bytes = ByteString.copyFromUtf8(value);
        core.raw()
                .batchPut(
                        RawBatchPutRequest.newBuilder()
                                .setContext(context())
                                .addPairs(KvPair.newBuilder().setKey(key(one)).setValue(bytes))
                                .addPairs(KvPair.newBuilder().setKey(key(two)).setValue(bytes))
                                .build())
                .join();
    }

    private void delete(String key) {
        core.raw()
                .delete(
                        RawDeleteRequest.newBuilder()
                                .setContext(context())
                                .setKey(key(key))
                                .build())
                .join();
    }

    private void deleteRange(String from, String to) {
        core.rawRanges()
                .deleteRange(
                        RawDeleteRangeRequest.newBuilder()
                                .setContext(context())
                                .setStartKey(key(from))
                                .setEndKey(key(to))
                                .build())
                .join();
    }

    private String get(String key) {
        RawGetResponse response =
                core.raw()
                        .get(
                                RawGetRequest.newBuilder()
                                        .setContext(context())
                                        .setKey(key(key))
                                        .build())
                        .join();
        assertThat(response.getError()).isEmpty();
        return response.getNotFound() ? null : response.getValue().toStringUtf8();
    }

    private long ttl(String key) {
        return core.raw()
                .ttl(
                        RawGetKeyTTLRequest.newBuilder()
                                .setContext(context())
                                .setKey(key(key))
                                .build())
                .join()
                .getTtl();
    }

    private Context context() {
        Region region = regions.regions().get(0);
        return Context.newBuilder()
                .setRegionId(region.shape().getRegionId())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setVersion(region.shape().getVersion())
                                .setConfVer(1))
                .setPeer(Peer.newBuilder().setId(region.shape().getPeerId()).setStoreId(1))
                .setApiVersion(APIVersion.V2)
                .build();
    }

    private static ByteString key(String key) {
        return ByteString.copyFromUtf8("r\0\0\0" + key);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
