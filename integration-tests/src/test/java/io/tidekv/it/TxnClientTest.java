package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tikv.common.BytePairWrapper;
import org.tikv.common.TiSession;
import org.tikv.common.codec.Codec.BytesCodec;
import org.tikv.common.codec.CodecDataOutput;
import org.tikv.kvproto.Kvrpcpb.KvPair;
import org.tikv.shade.com.google.protobuf.ByteString;
import org.tikv.txn.KVClient;
import org.tikv.txn.TwoPhaseCommitter;

/**
 * Optimistic transactions through an unmodified Java client, in mode V1, over regions that split
 * all the while.
 */
class TxnClientTest {
    private static final int PATIENCE_MS = 10_000;

    /** The client repeats what can never succeed, too, until its back-off is used up. */
    private static final int HOPELESS_MS = 500;

    /** Long enough for a lock to be resolved and a split to pass. */
    private static final int RACING_MS = 2_000;

    private static final long SEED = Long.getLong("seed", 20261122L);

    @TempDir static Path folder;
    private static Playground playground;
    private static Splitter splitter;
    private static TiSession session;
    private static JavaTxn txn;
    private static KVClient client;

    @BeforeAll
    static void start() {
        System.out.println("seed " + SEED);
        playground = Playground.start(folder.resolve("cluster"));
        session = TiSession.create(Clients.txn(playground));
        txn = new JavaTxn(session);
        client = txn.client();
        List<com.google.protobuf.ByteString> borders = new ArrayList<>();
        for (String border :
                List.of(
                        "many-05",
                        "bank-3",
                        "m",
                        "scan-0050",
                        "bank-6",
                        "many-02",
                        "c",
                        "load-50",
                        "load-25",
                        "rand-8",
                        "large-000001500")) {
            borders.add(com.google.protobuf.ByteString.copyFrom(encoded(border)));
        }
        splitter = new Splitter(playground, borders, 300);
    }

    @AfterAll
    static void stop() throws Exception {
        try {
            splitter.join();
            assertThat(splitter.regions()).as("regions at the end").isGreaterThanOrEqualTo(8);
        } finally {
            splitter.close();
            session.close();
            playground.close();
        }
    }

    /** Its writes go to the stores while it is made; it reads them, commits and is resolved. */
    @Test
    void aTransactionOfManyKeysIsFlushedInParts() {
        String shown =
                Command.expect(
                        "bench", "large-txn", "--pd", playground.pd(), "--keys", "3000", "--json");
        assertThat(shown).contains("\"keys\":3000", "\"wrong_reads\":0");
    }

    @Test
    void timestampsRise() {
        long last = 0;
        for (int i = 0; i < 200; i++) {
            long next = now();
            assertThat(next).isGreaterThan(last);
            last = next;
        }
    }

    @Test
    void absentKeyIsEmpty() {
        assertThat(read("absent", now())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 254, 255, 256, 1000, 65_536, 1 << 20})
    void valuesOfAnySizeComeBack(int size) {
        byte[] value = new byte[size];
        new Random(size).nextBytes(value);
        write(Map.of("size-" + size, ByteString.copyFrom(value)));
        assertThat(client.get(key("size-" + size), now())).isEqualTo(ByteString.copyFrom(value));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 9, 15, 16, 17, 200})
    void keysOfAnyLengthWork(int length) {
        String name = "k".repeat(length);
        write(Map.of(name, key("v" + length)));
        assertThat(read(name, now())).isEqualTo("v" + length);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 10, 300})
    void aTransactionOverManyKeysIsSeenWhole(int keys) {
        Map<String, ByteString> pairs = new LinkedHashMap<>();
        for (int i = 0; i < keys; i++) {
            pairs.put(String.format("many-%02d-%d", i % 10, i), key("of " + keys));
        }
        write(pairs);
        long ts = now();
        pairs.keySet().forEach(k -> assertThat(read(k, ts)).isEqualTo("of " + keys));
    }

    @Test
    void anOlderSnapshotDoesNotSeeALaterCommit() {
        write(Map.of("si", key("old")));
        long before = now();
        write(Map.of("si", key("new")));
        assertThat(read("si", before)).isEqualTo("old");
        assertThat(read("si", now())).isEqualTo("new");
    }

    @Test
    void eachVersionStaysReadableAtItsTime() {
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            write(Map.of("versions", key("v" + i)));
            times.add(now());
        }
        for (int i = 0; i < 10; i++) {
            assertThat(read("versions", times.get(i))).isEqualTo("v" + i);
        }
    }

    @Test
    void theSecondOfTwoWritersFails() throws Exception {
        long first = now();
        long second = now();
        commit(second, Map.of("conflict", key("second")), PATIENCE_MS);
        assertThatThrownBy(() -> commit(first, Map.of("conflict", key("first")), HOPELESS_MS))
                .isNotNull();
        assertThat(read("conflict", now())).isEqualTo("second");
    }

    @Test
    void aPrewrittenKeyIsNotSeenBeforeItsCommit() throws Exception {
        write(Map.of("half", key("before")));
        long reader = now();
        long start = now();
        try (TwoPhaseCommitter committer = new TwoPhaseCommitter(session, start)) {
            committer.prewritePrimaryKey(
                    JavaTxn.backOff(), key("half").toByteArray(), key("after").toByteArray());
            assertThat(read("half", reader)).isEqualTo("before");
            committer.commitPrimaryKey(JavaTxn.backOff(), key("half").toByteArray(), now());
        }
        assertThat(read("half", now())).isEqualTo("after");
        assertThat(read("half", reader)).isEqualTo("before");
    }

    @Test
    void aReaderResolvesWhatACommittedWriterLeftBehind() throws Exception {
        long start = now();
        try (TwoPhaseCommitter committer = new TwoPhaseCommitter(session, start, 3000)) {
            byte[] primary = key("left-primary").toByteArray();
            committer.prewritePrimaryKey(JavaTxn.backOff(), primary, key("p").toByteArray());
            committer.prewriteSecondaryKeys(
                    primary,
                    List.of(
                                    new BytePairWrapper(
                                            key("left-second").toByteArray(),
                                            key("s").toByteArray()))
                            .iterator(),
                    5000);
            committer.commitPrimaryKey(JavaTxn.backOff(), primary, now());
        }
        assertThat(read("left-second", now())).isEqualTo("s");
    }

    @Test
    void aReaderRollsBackWhatADeadWriterLeftBehind() throws Exception {
        write(Map.of("dead", key("before")));
        long start = now();
        TwoPhaseCommitter committer = new TwoPhaseCommitter(session, start, 100);
        committer.prewritePrimaryKey(
                JavaTxn.backOff(), key("dead").toByteArray(), key("never").toByteArray());
        Awaitility.await("the lock's time is over")
                .atMost(Duration.ofSeconds(10))
                .until(() -> physical(now()) > physical(start) + 500);
        assertThat(read("dead", now())).isEqualTo("before");
        assertThatThrownBy(
                        () ->
                                committer.commitPrimaryKey(
                                        JavaTxn.backOff(HOPELESS_MS),
                                        key("dead").toByteArray(),
                                        now()))
                .isNotNull();
        assertThat(read("dead", now())).isEqualTo("before");
    }

    @Test
    void scanSeesItsSnapshot() {
        Map<String, ByteString> pairs = new LinkedHashMap<>();
        for (int i = 0; i < 100; i++) {
            pairs.put(String.format("scan-%04d", i), key("v" + i));
        }
        write(pairs);
        long ts = now();
        write(Map.of("scan-0000", key("changed")));
        List<KvPair> got = client.scan(key("scan-"), key("scan."), ts);
        assertThat(got).hasSize(100);
        assertThat(got.get(0).getValue().toStringUtf8()).isEqualTo("v0");
    }

    @Test
    void scanOfARangeEndsBeforeItsEnd() {
        Map<String, ByteString> pairs = new LinkedHashMap<>();
        for (int i = 0; i < 30; i++) {
            pairs.put(String.format("range-%02d", i), key("v"));
        }
        write(pairs);
        assertThat(client.scan(key("range-05"), key("range-15"), now())).hasSize(10);
    }

    @Test
    void batchGetAnswersForAllKeysOfASnapshot() throws Exception {
        write(Map.of("bg-1", key("a"), "bg-2", key("b")));
        long ts = now();
        write(Map.of("bg-2", key("c")));
        TreeMap<String, String> got = new TreeMap<>();
        for (KvPair pair :
                client.batchGet(
                        JavaTxn.backOff(),
                        new ArrayList<>(List.of(key("bg-1"), key("bg-2"))),
                        ts)) {
            got.put(pair.getKey().toStringUtf8(), pair.getValue().toStringUtf8());
        }
        assertThat(got).containsEntry("bg-1", "a").containsEntry("bg-2", "b");
    }

    @Test
    void everythingCommittedDuringSplitsIsThere() {
        for (int i = 0; i < 100; i++) {
            write(
                    Map.of(
                            String.format("load-%02d", i),
                            key("v" + i),
                            String.format("load-x%02d", i),
                            key("w" + i)));
        }
        long ts = now();
        for (int i = 0; i < 100; i++) {
            assertThat(read(String.format("load-%02d", i), ts)).isEqualTo("v" + i);
            assertThat(read(String.format("load-x%02d", i), ts)).isEqualTo("w" + i);
        }
    }

    @Test
    void racingTransfersKeepTheTotal() {
        Map<String, ByteString> accounts = new LinkedHashMap<>();
        for (int i = 0; i < 8; i++) {
            accounts.put("bank-" + i, key("100"));
        }
        write(accounts);
        AtomicInteger committed = new AtomicInteger();
        IntStream.range(0, 3)
                .parallel()
                .forEach(
                        worker -> {
                            Random random = new Random(SEED + worker);
                            for (int i = 0; i < 6; i++) {
                                if (transfer(random)) {
                                    committed.incrementAndGet();
                                }
                                assertThat(total(now())).isEqualTo(800);
                            }
                        });
        assertThat(committed.get()).as("transfers that committed").isPositive();
        assertThat(total(now())).isEqualTo(800);
    }

    @Test
    void randomWritesAgreeWithASortedMap() {
        Random random = new Random(SEED);
        TreeMap<String, String> model = new TreeMap<>();
        for (int i = 0; i < 150; i++) {
            String name = "rand-" + random.nextInt(10) + random.nextInt(10);
            write(Map.of(name, key("v" + i)));
            model.put(name, "v" + i);
        }
        TreeMap<String, String> got = new TreeMap<>();
        for (KvPair pair : client.scan(key("rand-"), key("rand."), now())) {
            got.put(pair.getKey().toStringUtf8(), pair.getValue().toStringUtf8());
        }
        assertThat(got).isEqualTo(model);
    }

    private static boolean transfer(Random random) {
        int from = random.nextInt(8);
        int to = (from + 1 + random.nextInt(7)) % 8;
        long start = now();
        int left = Integer.parseInt(read("bank-" + from, start));
        int right = Integer.parseInt(read("bank-" + to, start));
        Map<String, ByteString> change = new LinkedHashMap<>();
        change.put("bank-" + from, key("" + (left - 1)));
        change.put("bank-" + to, key("" + (right + 1)));
        try {
            commit(start, change, RACING_MS);
            return true;
        } catch (Exception e) {
            return false;
        }
    }

    private static int total(long ts) {
        return IntStream.range(0, 8).map(i -> Integer.parseInt(read("bank-" + i, ts))).sum();
    }

    private static void write(Map<String, ByteString> pairs) {
        txn.write(named(pairs));
    }

    private static void commit(long start, Map<String, ByteString> pairs, int patienceMs)
            throws Exception {
        txn.commit(start, named(pairs), patienceMs);
    }

    private static Map<ByteString, ByteString> named(Map<String, ByteString> pairs) {
        Map<ByteString, ByteString> named = new LinkedHashMap<>();
        pairs.forEach((name, value) -> named.put(key(name), value));
        return named;
    }

    /** Milliseconds of a timestamp. */
    private static long physical(long ts) {
        return ts >> 18;
    }

    private static long now() {
        return txn.now();
    }

    private static String read(String name, long ts) {
        return txn.read(key(name), ts).toStringUtf8();
    }

    private static byte[] encoded(String text) {
        CodecDataOutput out = new CodecDataOutput();
        BytesCodec.writeBytes(out, key(text).toByteArray());
        return out.toBytes();
    }

    private static ByteString key(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
