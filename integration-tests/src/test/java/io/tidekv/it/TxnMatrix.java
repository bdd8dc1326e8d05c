package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tikv.common.TiSession;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.txn.TwoPhaseCommitter;

/**
 * Transactions of the Java client at their edges. Rows row-00 to row-59 lie in three regions; keys
 * that begin with a and with z lie in different ones.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TxnMatrix {
    static final List<String> BORDERS = List.of("m", "row-20", "row-40");

    private static final int ROWS = 60;
    private static final List<String> READINGS = List.of("get", "batchGet", "scan");

    /** The client repeats what can never succeed, too, until its back-off is used up. */
    private static final int HOPELESS_MS = 20;

    /** So short that whoever meets the lock may take its transaction for dead. */
    private static final long SHORT_TTL_MS = 50;

    private final TiSession session;
    private final JavaTxn txn;
    private final Playground playground;
    private final NavigableMap<String, String> rows = RawMatrix.numbered("row-%02d", ROWS);
    private final Map<String, List<Long>> histories = new HashMap<>();

    TxnMatrix(TiSession session, Playground playground) {
        this.session = session;
        this.playground = playground;
        txn = new JavaTxn(session);
    }

    @BeforeAll
    void load() {
        txn.write(RawMatrix.asBytes(rows));
    }

    static Stream<Arguments> historiesAndReadings() {
        return Stream.of("P", "PP", "PD", "DP", "PDP", "DD")
                .flatMap(
                        history ->
                                IntStream.rangeClosed(0, history.length())
                                        .boxed()
                                        .flatMap(
                                                step ->
                                                        READINGS.stream()
                                                                .map(
                                                                        reading ->
                                                                                Arguments.of(
                                                                                        history,
                                                                                        step,
                                                                                        reading))));
    }

    /** P puts, D deletes; after each step there is a snapshot, and one before them all. */
    @ParameterizedTest
    @MethodSource("historiesAndReadings")
    void aSnapshotStaysAsItWas(String history, int step, String reading) {
        ByteString key = key("history-" + history);
        List<Long> times = histories.computeIfAbsent(history, h -> write(key, h));
        boolean there = step > 0 && history.charAt(step - 1) == 'P';
        assertThat(read(reading, key, times.get(step)))
                .isEqualTo(there ? List.of(key("v" + (step - 1))) : List.of());
    }

    private List<Long> write(ByteString key, String history) {
        List<Long> times = new ArrayList<>(List.of(txn.now()));
        for (int i = 0; i < history.length(); i++) {
            boolean put = history.charAt(i) == 'P';
            txn.write(Map.of(key, put ? key("v" + i) : ByteString.EMPTY));
            times.add(txn.now());
        }
        return times;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00", "0000", "01", "ff", "ffff", "00ff", "00*7", "00*8", "00*9", "ff*8", "ff*9",
                "61*255"
            })
    void aBinaryKeyIsLikeAnyOther(String pattern) {
        ByteString key = key("bin-").concat(RawMatrix.bytes(pattern));
        ByteString next = key.concat(RawMatrix.bytes("00"));
        ByteString shorter = key.substring(0, key.size() - 1);
        Map<ByteString, ByteString> all = new LinkedHashMap<>();
        List.of(shorter, key, next).forEach(k -> all.put(k, k));
        txn.write(all);
        long ts = txn.now();
        for (String reading : READINGS) {
            all.keySet().forEach(k -> assertThat(read(reading, k, ts)).containsExactly(k));
        }
        assertThat(keys(txn.client().scan(shorter, key, ts))).doesNotContain(key);
        txn.write(Map.of(key, ByteString.EMPTY));
        assertThat(read("get", key, txn.now())).isEmpty();
        assertThat(read("get", next, txn.now())).containsExactly(next);
        all.replaceAll((k, v) -> ByteString.EMPTY);
        txn.write(all);
    }

    @ParameterizedTest
    @CsvSource({
        "61*1,false",
        "61*255,false",
        "61*256,false",
        "61*70000,false",
        "61*1,true",
        "61*255,true",
        "61*256,true",
        "61*70000,true"
    })
    void aValueOfAnySizeIsStored(String pattern, boolean secondary) {
        ByteString value = RawMatrix.bytes(pattern);
        Map<ByteString, ByteString> pairs = new LinkedHashMap<>();
        if (secondary) {
            pairs.put(key("a-value-primary"), key("p"));
        }
        pairs.put(key("z-value"), value);
        txn.write(pairs);
        for (String reading : READINGS) {
            assertThat(read(reading, key("z-value"), txn.now())).containsExactly(value);
        }
    }

    static Stream<Arguments> conflicts() {
        return Stream.of("put", "delete")
                .flatMap(
                        first ->
                                Stream.of("put", "delete")
                                        .flatMap(
                                                second ->
                                                        Stream.of("alone", "first", "near", "far")
                                                                .map(
                                                                        place ->
                                                                                Arguments.of(
                                                                                        first,
                                                                                        second,
                                                                                        place))));
    }

    /** The older writer loses, with all its keys, wherever the fought-for key stands among them. */
    @ParameterizedTest
    @MethodSource("conflicts")
    void ofTwoWritersTheOlderFails(String younger, String older, String place) throws Exception {
        String name = "conflict-" + younger + "-" + older + "-" + place;
        ByteString fought = key("a-" + name);
        txn.write(Map.of(fought, key("before")));
        long start = txn.now();
        ByteString won = value(younger, "younger");
        txn.commit(txn.now(), Map.of(fought, won), 10_000);
        Map<ByteString, ByteString> pairs = new LinkedHashMap<>();
        ByteString other = key((place.equals("far") ? "z-" : "a-other-") + name);
        if (place.equals("near") || place.equals("far")) {
            pairs.put(other, key("never"));
        }
        pairs.put(fought, value(older, "older"));
        if (place.equals("first")) {
            pairs.put(other, key("never"));
        }
        assertThatThrownBy(() -> txn.commit(start, pairs, HOPELESS_MS)).isNotNull();
        assertThat(txn.read(fought, txn.now())).isEqualTo(won);
        assertThat(txn.read(fought, start)).isEqualTo(key("before"));
        // Its lock, if it left one, belongs to nobody: it need not be waited for.
        if (place.equals("first") || place.equals("alone")) {
            assertThat(txn.read(other, txn.now())).isEmpty();
        }
    }

    private static ByteString value(String operation, String value) {
        return operation.equals("put") ? key(value) : ByteString.EMPTY;
    }

    static Stream<Arguments> leftovers() {
        return Stream.of("primaryLocked", "allLocked", "primaryCommitted")
                .flatMap(
                        stage ->
                                Stream.of("get", "batchGet", "scan", "write")
                                        .flatMap(
                                                meeting ->
                                                        Stream.of("a-", "z-")
                                                                .map(
                                                                        region ->
                                                                                Arguments.of(
                                                                                        stage,
                                                                                        meeting,
                                                                                        region))));
    }

    /** Whoever meets the locks of a writer that died finishes for it, one way for all its keys. */
    @ParameterizedTest
    @MethodSource("leftovers")
    void aDeadWritersLocksAreResolved(String stage, String meeting, String region)
            throws Exception {
        String name = "left-" + stage + "-" + meeting + "-" + region;
        ByteString primary = key("a-" + name);
        ByteString secondary = key(region + "second-" + name);
        Map<ByteString, ByteString> before = new LinkedHashMap<>();
        before.put(primary, key("before"));
        before.put(secondary, key("before"));
        txn.write(before);
        long start = txn.now();
        die(start, stage, primary, secondary);
        ByteString met = stage.equals("primaryLocked") ? primary : secondary;
        ByteString left = key(stage.equals("primaryCommitted") ? "after" : "before");
        Awaitility.await("the lock's time is over")
                .atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> (txn.now() >> 18) > (start >> 18) + SHORT_TTL_MS);
        if (meeting.equals("write")) {
            txn.write(Map.of(met, key("new")));
            assertThat(txn.read(met, txn.now())).isEqualTo(key("new"));
        } else {
            assertThat(read(meeting, met, txn.now())).containsExactly(left);
        }
        ByteString other = met == primary ? secondary : primary;
        assertThat(txn.read(other, txn.now())).isEqualTo(left);
        assertThat(txn.read(primary, start)).isEqualTo(key("before"));
    }

    private void die(long start, String stage, ByteString primary, ByteString secondary)
            throws Exception {
        try (TwoPhaseCommitter committer = new TwoPhaseCommitter(session, start, SHORT_TTL_MS)) {
            Map<ByteString, ByteString> pairs = new LinkedHashMap<>();
            pairs.put(primary, key("after"));
            if (!stage.equals("primaryLocked")) {
                pairs.put(secondary, key("after"));
            }
            JavaTxn.prewrite(committer, pairs, 10_000);
            if (stage.equals("primaryCommitted")) {
                committer.commitPrimaryKey(JavaTxn.backOff(), primary.toByteArray(), txn.now());
            }
        }
    }

    /** A pessimistic lock of another client is in nobody's way but another writer's. */
    @ParameterizedTest
    @ValueSource(strings = {"get", "batchGet", "scan", "write", "writeAfterRollback"})
    void aPessimisticLockStopsWritersOnly(String meeting) {
        ByteString key = key("a-pessimistic-" + meeting);
        txn.write(Map.of(key, key("before")));
        try (OtherClient other = new OtherClient(playground)) {
            long start = txn.now();
            other.lock(key.toByteArray(), start);
            switch (meeting) {
                case "write" ->
                        assertThatThrownBy(
                                        () ->
                                                txn.commit(
                                                        txn.now(),
                                                        Map.of(key, key("never")),
                                                        HOPELESS_MS))
                                .isNotNull();
                case "writeAfterRollback" -> {
                    other.unlock(key.toByteArray(), start);
                    txn.write(Map.of(key, key("after")));
                    assertThat(txn.read(key, txn.now())).isEqualTo(key("after"));
                    return;
                }
                default -> assertThat(read(meeting, key, txn.now())).containsExactly(key("before"));
            }
            other.unlock(key.toByteArray(), start);
            assertThat(txn.read(key, txn.now())).isEqualTo(key("before"));
        }
    }

    static Stream<Arguments> ranges() {
        return Stream.of("row", "row-00", "row-19", "row-19\0", "row-20", "row-20\0", "row-39\0")
                .flatMap(
                        from ->
                                Stream.of("row-40", "row-40\0", "row-59", "row-99")
                                        .map(to -> Arguments.of(from, to)));
    }

    @ParameterizedTest
    @MethodSource("ranges")
    void aRangeHasItsStartAndNotItsEnd(String from, String to) {
        Map<String, String> expected = rows.subMap(from, true, to, false);
        assertThat(RawMatrix.pairs(txn.client().scan(key(from), key(to), txn.now())))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "20,1", "21,1", "60,1", "100,1", "100,7"})
    void batchGetGathersFromAllRegions(int asked, int every) throws Exception {
        List<ByteString> keys =
                IntStream.range(0, asked)
                        .filter(i -> i % every == 0)
                        .mapToObj(i -> key(String.format("row-%02d", i)))
                        .toList();
        Map<String, String> expected = new HashMap<>(rows);
        expected.keySet().retainAll(keys.stream().map(ByteString::toStringUtf8).toList());
        List<KvPair> found =
                txn.client().batchGet(JavaTxn.backOff(), new ArrayList<>(keys), txn.now());
        assertThat(RawMatrix.pairs(found)).isEqualTo(expected);
    }

    /** A key's value in a list, an empty one when there is none. */
    private List<ByteString> read(String call, ByteString key, long ts) {
        return switch (call) {
            case "get" -> Stream.of(txn.read(key, ts)).filter(v -> !v.isEmpty()).toList();
            case "batchGet" ->
                    values(
                            txn.client()
                                    .batchGet(
                                            JavaTxn.backOff(), new ArrayList<>(List.of(key)), ts));
            default -> values(txn.client().scan(key, key.concat(RawMatrix.bytes("00")), ts));
        };
    }

    private static List<ByteString> values(List<KvPair> found) {
        return found.stream().map(KvPair::getValue).toList();
    }

    private static List<ByteString> keys(List<KvPair> found) {
        return found.stream().map(KvPair::getKey).toList();
    }

    private static ByteString key(String text) {
        return RawMatrix.text(text);
    }
}
