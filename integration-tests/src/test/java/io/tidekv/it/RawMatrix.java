package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tikv.common.exception.RawCASConflictException;
import org.tikv.common.util.Pair;
import org.tikv.common.util.ScanOption;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * The raw API at its edges. Rows rng-00 to rng-59 lie in three regions, del-00 to del-39 in two. A
 * character of a key here is a byte.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RawMatrix {
    /** Those that transactional clients of the same cluster can read: memory-comparable. */
    static final List<String> BORDERS =
            List.of(
                    "del-20\0\0\u00fd",
                    "part-025\u00ff\0\0\0\0\0\0\0\0\u00f7",
                    "rng-20\0\0\u00fd",
                    "rng-40\0\0\u00fd");

    private static final int ROWS = 60;
    private static final List<String> READINGS =
            List.of("get", "batchGet", "scan", "scanPrefix", "batchScan");

    private final RawKVClient raw;
    private final NavigableMap<String, String> rows = numbered("rng-%02d", ROWS);

    RawMatrix(RawKVClient raw) {
        this.raw = raw;
        rows.put("rng-40\0\0\u00fd", "on the border");
    }

    @BeforeAll
    void load() {
        raw.batchPut(asBytes(rows));
    }

    static Stream<Arguments> writesAndValues() {
        return Stream.of("put", "batchPut", "putIfAbsent", "compareAndSet")
                .flatMap(
                        write ->
                                Stream.of(
                                                "00",
                                                "ff",
                                                "0000ff00",
                                                "e4bda0",
                                                "61*255",
                                                "62*256",
                                                "63*70000")
                                        .map(value -> Arguments.of(write, value)));
    }

    @ParameterizedTest
    @MethodSource("writesAndValues")
    void whatAnyWriteHasWrittenEveryReadingGives(String write, String pattern) {
        ByteString key = text("value-" + write + "-" + pattern);
        ByteString value = bytes(pattern);
        write(write, key, value);
        for (String reading : READINGS) {
            assertThat(read(reading, key)).as(reading).containsExactly(value);
        }
        write("put", key, text("replaced"));
        raw.delete(key);
        for (String reading : READINGS) {
            assertThat(read(reading, key)).as(reading + " after delete").isEmpty();
        }
    }

    static Stream<Arguments> keysAndCalls() {
        List<String> keys =
                List.of(
                        "00",
                        "0000",
                        "01",
                        "7f",
                        "80",
                        "ff",
                        "ffff",
                        "00ff",
                        "6b6579",
                        "6b657900",
                        "00*8",
                        "ff*8",
                        "ff*9",
                        "61*64");
        return keys.stream()
                .flatMap(
                        key ->
                                Stream.of("delete", "batchDelete", "deleteRange", "deletePrefix")
                                        .map(call -> Arguments.of(key, call)));
    }

    /** Neighbours in the order of bytes stay as they are. */
    @ParameterizedTest
    @MethodSource("keysAndCalls")
    void aBinaryKeyIsLikeAnyOther(String pattern, String call) {
        ByteString key = text("bin-").concat(bytes(pattern));
        ByteString next = key.concat(bytes("00"));
        ByteString shorter = key.substring(0, key.size() - 1);
        Map<ByteString, ByteString> all = new LinkedHashMap<>();
        List.of(shorter, key, next).forEach(k -> all.put(k, k));
        raw.batchPut(all);
        assertThat(raw.get(key)).contains(key);
        assertThat(keys(raw.scan(key, next, 10))).containsExactly(key);
        assertThat(keys(raw.scan(shorter, key, 10))).doesNotContain(key).contains(shorter);
        switch (call) {
            case "delete" -> raw.delete(key);
            case "batchDelete" -> raw.batchDelete(new ArrayList<>(List.of(key)));
            case "deleteRange" -> raw.deleteRange(key, next);
            default -> raw.deletePrefix(key);
        }
        assertThat(raw.get(key)).isEmpty();
        assertThat(raw.get(shorter)).contains(shorter);
        assertThat(raw.get(next).isPresent()).isEqualTo(!call.equals("deletePrefix"));
        raw.batchDelete(new ArrayList<>(all.keySet()));
    }

    static Stream<Arguments> limits() {
        return Stream.of("rng-00", "rng-20", "rng-21", "rng-59")
                .flatMap(
                        from ->
                                IntStream.of(1, 2, 20, 21, 41, 1000)
                                        .mapToObj(limit -> Arguments.of(from, limit)));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void aLimitCountsOverRegions(String from, int limit) {
        List<String> expected = rows.tailMap(from, true).keySet().stream().limit(limit).toList();
        assertThat(names(raw.scan(text(from), text("rng-99"), limit))).isEqualTo(expected);
        List<KvPair> keysOnly = raw.scan(text(from), text("rng-99"), limit, true);
        assertThat(names(keysOnly)).isEqualTo(expected);
        assertThat(keysOnly).allMatch(pair -> pair.getValue().isEmpty());
        assertThat(raw.batchScanKeys(List.of(Pair.create(text(from), text("rng-99"))), limit))
                .containsExactly(expected.stream().map(RawMatrix::text).toList());
    }

    static Stream<Arguments> ranges() {
        return Stream.of(
                        "rng",
                        "rng-00",
                        "rng-20",
                        "rng-20\0",
                        "rng-20\0\0\u00fd",
                        "rng-21",
                        "rng-39\0")
                .flatMap(
                        from ->
                                Stream.of(
                                                "rng-40",
                                                "rng-40\0\0\u00fd",
                                                "rng-40\0\0\u00fd\0",
                                                "rng-99")
                                        .map(to -> Arguments.of(from, to)));
    }

    @ParameterizedTest
    @MethodSource("ranges")
    void aRangeHasItsStartAndNotItsEnd(String from, String to) {
        Map<String, String> expected = rows.subMap(from, true, to, false);
        assertThat(pairs(raw.scan(text(from), text(to)))).isEqualTo(expected);
        ScanOption option =
                ScanOption.newBuilder()
                        .setStartKey(text(from))
                        .setEndKey(text(to))
                        .setLimit(1000)
                        .build();
        List<List<KvPair>> twice = raw.batchScan(List.of(option, option));
        assertThat(twice).hasSize(2);
        assertThat(twice).allSatisfy(found -> assertThat(pairs(found)).isEqualTo(expected));
    }

    static Stream<Arguments> deletedRanges() {
        return Stream.of("del", "del-00", "del-20", "del-20\0", "del-20\0\0\u00fd", "del-21")
                .flatMap(
                        from ->
                                Stream.of("del-20", "del-20\0\0\u00fd", "del-21", "del-99")
                                        .filter(to -> from.compareTo(to) <= 0)
                                        .map(to -> Arguments.of(from, to)));
    }

    @ParameterizedTest
    @MethodSource("deletedRanges")
    void deleteRangeTakesItsStartAndNotItsEnd(String from, String to) {
        NavigableMap<String, String> model = numbered("del-%02d", 40);
        raw.batchPut(asBytes(model));
        raw.deleteRange(text(from), text(to));
        model.subMap(from, true, to, false).clear();
        assertThat(pairs(raw.scan(text("del"), text("del-99")))).isEqualTo(model);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,1", "16,16", "511,1", "512,511", "513,512", "1025,513"})
    void aBatchOfAnySizeGoesToAllItsRegions(int put, int deleted) {
        NavigableMap<String, String> model = numbered("part-%04d", put);
        raw.batchPut(asBytes(model));
        assertThat(pairs(raw.batchGet(new ArrayList<>(asBytes(model).keySet())))).isEqualTo(model);
        List<String> gone = model.keySet().stream().limit(deleted).toList();
        raw.batchDelete(new ArrayList<>(gone.stream().map(RawMatrix::text).toList()));
        gone.forEach(model::remove);
        assertThat(pairs(raw.scanPrefix(text("part-")))).isEqualTo(model);
        raw.deletePrefix(text("part-"));
    }

    @ParameterizedTest
    @CsvSource({
        "absent,absent",
        "absent,a",
        "a,absent",
        "a,a",
        "a,b",
        "a,aa",
        "aa,a",
        "deleted,absent",
        "deleted,a"
    })
    void compareAndSetSwapsWhatIsAsExpected(String stored, String expected) {
        ByteString key = text("cas-" + stored + "-" + expected);
        if (!stored.equals("absent")) {
            raw.put(key, text(stored));
        }
        if (stored.equals("deleted")) {
            raw.delete(key);
        }
        Optional<ByteString> before = raw.get(key);
        Optional<ByteString> told =
                expected.equals("absent") ? Optional.empty() : Optional.of(text(expected));
        if (before.equals(told)) {
            raw.compareAndSet(key, told, text("new"));
            assertThat(raw.get(key)).contains(text("new"));
        } else {
            assertThatThrownBy(() -> raw.compareAndSet(key, told, text("new")))
                    .isInstanceOf(RawCASConflictException.class);
            assertThat(raw.get(key)).isEqualTo(before);
        }
        assertThat(raw.putIfAbsent(key, text("late"))).isEqualTo(rowAfter(before, told));
    }

    private static Optional<ByteString> rowAfter(
            Optional<ByteString> before, Optional<ByteString> told) {
        return before.equals(told) ? Optional.of(text("new")) : before;
    }

    private void write(String call, ByteString key, ByteString value) {
        switch (call) {
            case "put" -> raw.put(key, value);
            case "batchPut" -> raw.batchPut(Map.of(key, value));
            case "putIfAbsent" -> assertThat(raw.putIfAbsent(key, value)).isEmpty();
            default -> raw.compareAndSet(key, Optional.empty(), value);
        }
    }

    private List<ByteString> read(String call, ByteString key) {
        ByteString end = key.concat(bytes("00"));
        return switch (call) {
            case "get" -> raw.get(key).stream().toList();
            case "batchGet" -> values(raw.batchGet(new ArrayList<>(List.of(key))));
            case "scan" -> values(raw.scan(key, end, 10));
            case "scanPrefix" -> values(raw.scanPrefix(key));
            default ->
                    values(
                            raw.batchScan(
                                            List.of(
                                                    ScanOption.newBuilder()
                                                            .setStartKey(key)
                                                            .setEndKey(end)
                                                            .setLimit(10)
                                                            .build()))
                                    .get(0));
        };
    }

    /** Bytes in hex, or one of them many times, as {@code 61*255}. */
    static ByteString bytes(String pattern) {
        int star = pattern.indexOf('*');
        int times = star < 0 ? 1 : Integer.parseInt(pattern.substring(star + 1));
        String hex = star < 0 ? pattern : pattern.substring(0, star);
        return ByteString.copyFrom(HexFormat.of().parseHex(hex.repeat(times)));
    }

    static ByteString text(String text) {
        return ByteString.copyFrom(text, StandardCharsets.ISO_8859_1);
    }

    static String text(ByteString bytes) {
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    static NavigableMap<String, String> numbered(String format, int count) {
        NavigableMap<String, String> pairs = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            String key = String.format(format, i);
            pairs.put(key, "of " + key);
        }
        return pairs;
    }

    static Map<ByteString, ByteString> asBytes(Map<String, String> pairs) {
        Map<ByteString, ByteString> bytes = new LinkedHashMap<>();
        pairs.forEach((key, value) -> bytes.put(text(key), text(value)));
        return bytes;
    }

    /** In order, each key once. */
    static Map<String, String> pairs(List<KvPair> found) {
        NavigableMap<String, String> pairs = new TreeMap<>();
        found.forEach(pair -> pairs.put(text(pair.getKey()), text(pair.getValue())));
        assertThat(pairs).as("no key twice").hasSize(found.size());
        return pairs;
    }

    static List<String> names(List<KvPair> found) {
        return found.stream().map(pair -> text(pair.getKey())).toList();
    }

    private static List<ByteString> keys(List<KvPair> found) {
        return found.stream().map(KvPair::getKey).toList();
    }

    private static List<ByteString> values(List<KvPair> found) {
        return found.stream().map(KvPair::getValue).toList();
    }
}
