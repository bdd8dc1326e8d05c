package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tikv.common.TiConfiguration;
import org.tikv.common.TiSession;
import org.tikv.common.exception.RawCASConflictException;
import org.tikv.common.util.ScanOption;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * The raw API through an unmodified Java client, over regions that split all the while; once for
 * each mode in which values have a time to live.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RawClientCases {
    private static final long SEED = Long.getLong("seed", 20261122L);
    private static final List<String> BORDERS =
            List.of(
                    "m",
                    "c",
                    "x",
                    "put-5",
                    "scan-0050",
                    "batch-3",
                    "load-0500",
                    "load-0250",
                    "load-0750",
                    "rand-8");

    private final String mode;
    private final TiConfiguration.ApiVersion version;

    private Playground playground;
    private Splitter splitter;
    private TiSession session;
    private RawKVClient raw;

    /**
     * @param mode of the playground
     * @param version that the client speaks
     */
    RawClientCases(String mode, TiConfiguration.ApiVersion version) {
        this.mode = mode;
        this.version = version;
    }

    /** A user's key as the cluster stores it, for a border between regions. */
    abstract com.google.protobuf.ByteString stored(String key);

    @BeforeAll
    void start(@TempDir Path folder) {
        System.out.println("seed " + SEED);
        playground = Playground.start(folder.resolve("cluster"), "--api-version", mode);
        TiConfiguration conf = Clients.raw(playground);
        conf.setApiVersion(version);
        conf.setEnableAtomicForCAS(true);
        session = TiSession.create(conf);
        raw = session.createRawClient();
        splitter = new Splitter(playground, BORDERS.stream().map(this::stored).toList(), 300);
    }

    @AfterAll
    void stop() throws Exception {
        try {
            splitter.join();
            assertThat(splitter.regions()).as("regions at the end").isGreaterThanOrEqualTo(8);
        } finally {
            splitter.close();
            session.close();
            playground.close();
        }
    }

    @Test
    void absentKeyIsEmpty() {
        assertThat(raw.get(key("absent"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 100, 255, 256, 4096, 65_536, 1 << 20, 4 << 20})
    void valuesOfAnySizeComeBack(int size) {
        ByteString value = bytes(size, size);
        raw.put(key("size-" + size), value);
        assertThat(raw.get(key("size-" + size))).contains(value);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 9, 16, 100, 1000, 4000})
    void keysOfAnyLengthWork(int length) {
        ByteString key = bytes(length, length * 31);
        raw.put(key, key("v" + length));
        assertThat(raw.get(key)).contains(key("v" + length));
        raw.delete(key);
        assertThat(raw.get(key)).isEmpty();
    }

    @Test
    void lastPutWins() {
        for (int i = 0; i < 20; i++) {
            raw.put(key("put-again"), key("v" + i));
        }
        assertThat(raw.get(key("put-again"))).contains(key("v19"));
    }

    @Test
    void keysWithEveryByteAreDistinct() {
        for (int b = 0; b < 256; b++) {
            raw.put(ByteString.copyFrom(new byte[] {'b', (byte) b}), key("" + b));
        }
        for (int b = 0; b < 256; b++) {
            assertThat(raw.get(ByteString.copyFrom(new byte[] {'b', (byte) b})))
                    .contains(key("" + b));
        }
    }

    @Test
    void deleteIsIdempotent() {
        raw.delete(key("never-there"));
        raw.put(key("gone"), key("v"));
        raw.delete(key("gone"));
        raw.delete(key("gone"));
        assertThat(raw.get(key("gone"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 1000})
    void batchPutAndBatchGet(int count) {
        Map<ByteString, ByteString> pairs = numbered("batch-", count);
        raw.batchPut(pairs);
        List<KvPair> got = raw.batchGet(new ArrayList<>(pairs.keySet()));
        assertThat(asMap(got)).isEqualTo(new TreeMap<>(asText(pairs)));
    }

    @Test
    void batchGetLeavesOutAbsentKeys() {
        raw.put(key("bg-1"), key("v"));
        assertThat(raw.batchGet(new ArrayList<>(List.of(key("bg-1"), key("bg-2"))))).hasSize(1);
    }

    @Test
    void batchDeleteDeletesOnlyItsKeys() {
        raw.batchPut(numbered("bd-", 50));
        raw.batchDelete(new ArrayList<>(numbered("bd-", 25).keySet()));
        assertThat(raw.scanPrefix(key("bd-"))).hasSize(25);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 99, 100, 1000})
    void scanHonoursItsLimit(int limit) {
        raw.batchPut(numbered("scan-", 100));
        List<KvPair> got = raw.scan(key("scan-"), key("scan."), limit);
        assertThat(got).hasSize(Math.min(limit, 100));
        assertThat(got.get(0).getKey()).isEqualTo(key("scan-0000"));
    }

    @Test
    void scanIsInOrderAcrossRegions() {
        raw.batchPut(numbered("scan-", 100));
        List<String> keys =
                raw.scan(key("scan-"), key("scan.")).stream()
                        .map(p -> p.getKey().toStringUtf8())
                        .toList();
        assertThat(keys).hasSize(100).isSorted();
    }

    @Test
    void scanOfKeysAloneHasNoValues() {
        raw.batchPut(numbered("ko-", 10));
        assertThat(raw.scan(key("ko-"), key("ko."), 10, true))
                .hasSize(10)
                .allMatch(p -> p.getValue().isEmpty());
    }

    @Test
    void scanOfAnEmptyRangeIsEmpty() {
        assertThat(raw.scan(key("nothing-here-a"), key("nothing-here-b"))).isEmpty();
    }

    @Test
    void scanEndIsExclusiveAndStartInclusive() {
        raw.batchPut(numbered("se-", 10));
        assertThat(raw.scan(key("se-0002"), key("se-0005"))).hasSize(3);
    }

    @Test
    void batchScanAnswersEachRange() {
        raw.batchPut(numbered("bs-", 30));
        List<List<KvPair>> got =
                raw.batchScan(List.of(range("bs-0000", "bs-0010"), range("bs-0020", "bs-0025")));
        assertThat(got.get(0)).hasSize(10);
        assertThat(got.get(1)).hasSize(5);
    }

    @Test
    void deleteRangeEndsBeforeItsEnd() {
        raw.batchPut(numbered("dr-", 40));
        raw.deleteRange(key("dr-0010"), key("dr-0030"));
        assertThat(raw.scanPrefix(key("dr-"))).hasSize(20);
        assertThat(raw.get(key("dr-0009"))).isPresent();
        assertThat(raw.get(key("dr-0010"))).isEmpty();
        assertThat(raw.get(key("dr-0030"))).isPresent();
    }

    @Test
    void deletePrefixDeletesAllBelowIt() {
        raw.batchPut(numbered("dp-", 40));
        raw.deletePrefix(key("dp-"));
        assertThat(raw.scanPrefix(key("dp-"))).isEmpty();
    }

    @Test
    void writesAfterDeleteRangeAreSeen() {
        raw.batchPut(numbered("dw-", 10));
        raw.deleteRange(key("dw-"), key("dw."));
        raw.put(key("dw-0003"), key("new"));
        assertThat(raw.scanPrefix(key("dw-"))).hasSize(1);
    }

    @Test
    void timeToLiveIsReported() {
        raw.put(key("ttl-long"), key("v"), 1000);
        assertThat(raw.getKeyTTL(key("ttl-long")).orElseThrow()).isBetween(990L, 1000L);
    }

    @Test
    void withoutTimeToLiveItIsZero() {
        raw.put(key("ttl-none"), key("v"));
        assertThat(raw.getKeyTTL(key("ttl-none"))).contains(0L);
    }

    @Test
    void absentKeyHasNoTimeToLive() {
        assertThat(raw.getKeyTTL(key("ttl-absent"))).isEmpty();
    }

    @Test
    void expiredValuesAreGoneFromGetScanAndBatchGet() {
        raw.put(key("ttl-short"), key("v"), 1);
        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .until(() -> raw.get(key("ttl-short")).isEmpty());
        assertThat(raw.scanPrefix(key("ttl-short"))).isEmpty();
        assertThat(raw.batchGet(new ArrayList<>(List.of(key("ttl-short"))))).isEmpty();
    }

    @Test
    void batchPutCarriesTimeToLive() {
        raw.batchPut(numbered("bttl-", 5), 500);
        assertThat(raw.getKeyTTL(key("bttl-0003")).orElseThrow()).isBetween(490L, 500L);
    }

    @Test
    void putIfAbsentTellsWhatWasThere() {
        assertThat(raw.putIfAbsent(key("pia"), key("first"))).isEmpty();
        assertThat(raw.putIfAbsent(key("pia"), key("second"))).contains(key("first"));
        assertThat(raw.get(key("pia"))).contains(key("first"));
    }

    @Test
    void compareAndSetSwapsOnlyWhenEqual() {
        raw.put(key("cas"), key("a"));
        raw.compareAndSet(key("cas"), Optional.of(key("a")), key("b"));
        assertThat(raw.get(key("cas"))).contains(key("b"));
        assertThatThrownBy(() -> raw.compareAndSet(key("cas"), Optional.of(key("a")), key("c")))
                .isInstanceOf(RawCASConflictException.class);
        assertThat(raw.get(key("cas"))).contains(key("b"));
    }

    @Test
    void compareAndSetOfAnAbsentKey() {
        raw.compareAndSet(key("cas-new"), Optional.empty(), key("x"));
        assertThat(raw.get(key("cas-new"))).contains(key("x"));
    }

    @Test
    void racingCountersLoseNothing() {
        raw.put(key("counter"), key("0"));
        IntStream.range(0, 4)
                .parallel()
                .forEach(
                        t -> {
                            for (int i = 0; i < 25; i++) {
                                increment(key("counter"));
                            }
                        });
        assertThat(raw.get(key("counter"))).contains(key("100"));
    }

    @Test
    void everythingWrittenDuringSplitsIsThere() {
        Map<ByteString, ByteString> model = new LinkedHashMap<>();
        for (int i = 0; i < 1000; i++) {
            ByteString key = key(String.format("load-%04d", i));
            raw.put(key, key("value-" + i));
            model.put(key, key("value-" + i));
        }
        assertThat(asMap(raw.scan(key("load-"), key("load."))))
                .isEqualTo(new TreeMap<>(asText(model)));
    }

    @Test
    void everythingWrittenDuringAMergeIsThere() {
        Map<ByteString, ByteString> before = numbered("merge-", 200);
        raw.batchPut(before);
        Map<ByteString, ByteString> model = new LinkedHashMap<>(before);
        try (Merger merger = new Merger(playground, stored("merge-0050"), stored("merge-0150"))) {
            for (int i = 0; i < 200 || !merger.isDone(); i++) {
                ByteString key = key(String.format("merge-%04d", i % 200));
                raw.put(key, key("during-" + i));
                model.put(key, key("during-" + i));
            }
        }
        assertThat(asMap(raw.scan(key("merge-"), key("merge."))))
                .isEqualTo(new TreeMap<>(asText(model)));
    }

    @Test
    void randomOperationsAgreeWithASortedMap() {
        Random random = new Random(SEED);
        TreeMap<String, String> model = new TreeMap<>();
        for (int i = 0; i < 600; i++) {
            String name = "rand-" + random.nextInt(10) + random.nextInt(10);
            switch (random.nextInt(4)) {
                case 0 -> {
                    raw.delete(key(name));
                    model.remove(name);
                }
                case 1 ->
                        assertThat(raw.get(key(name)).map(ByteString::toStringUtf8))
                                .isEqualTo(Optional.ofNullable(model.get(name)));
                default -> {
                    raw.put(key(name), key("v" + i));
                    model.put(name, "v" + i);
                }
            }
        }
        assertThat(asMap(raw.scanPrefix(key("rand-")))).isEqualTo(model);
    }

    private void increment(ByteString key) {
        while (true) {
            ByteString old = raw.get(key).orElseThrow();
            try {
                raw.compareAndSet(
                        key,
                        Optional.of(old),
                        key("" + (Integer.parseInt(old.toStringUtf8()) + 1)));
                return;
            } catch (RawCASConflictException e) {
                continue;
            }
        }
    }

    private static ScanOption range(String from, String to) {
        return ScanOption.newBuilder()
                .setStartKey(key(from))
                .setEndKey(key(to))
                .setLimit(1000)
                .build();
    }

    private static ByteString key(String text) {
        return ByteString.copyFrom(text, StandardCharsets.UTF_8);
    }

    private static ByteString bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        if (length < 4) {
            Arrays.fill(bytes, (byte) 'q');
        }
        return ByteString.copyFrom(bytes);
    }

    private static Map<ByteString, ByteString> numbered(String prefix, int count) {
        Map<ByteString, ByteString> pairs = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            pairs.put(key(String.format("%s%04d", prefix, i)), key("value of " + prefix + i));
        }
        return pairs;
    }

    private static TreeMap<String, String> asMap(List<KvPair> pairs) {
        TreeMap<String, String> map = new TreeMap<>();
        pairs.forEach(p -> map.put(p.getKey().toStringUtf8(), p.getValue().toStringUtf8()));
        assertThat(map).as("no key twice").hasSize(pairs.size());
        return map;
    }

    private static Map<String, String> asText(Map<ByteString, ByteString> pairs) {
        Map<String, String> map = new LinkedHashMap<>();
        pairs.forEach((k, v) -> map.put(k.toStringUtf8(), v.toStringUtf8()));
        return map;
    }
}
