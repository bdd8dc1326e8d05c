package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.ManagedChannel;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiSession;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * A loaded cluster of real processes is hurt in one way after the other, and every acknowledged row
 * is read back after each. The size is {@code -Dit.megabytes} (default small; 2048 before a
 * release), the pause {@code -Dit.pause.seconds}, the object store's outage {@code
 * -Dit.outage.seconds}. The object store is a MinIO where there is one, else a folder.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultsTest {
    private static final long ROWS = Long.getLong("it.megabytes", 24) * (1 << 20) / Rows.BYTES;
    private static final long PAUSE_SECONDS = Long.getLong("it.pause.seconds", 5);
    private static final long OUTAGE_SECONDS = Long.getLong("it.outage.seconds", 10);
    private static final long OUTAGE_ROWS = 40L * (1 << 20) / Rows.BYTES;
    private static final long EXTRA = 1L << 40;

    @TempDir static Path folder;
    private static Minio minio;
    private static Playground playground;
    private static TiSession session;
    private static RawKVClient client;
    private static final Rows rows = new Rows(Long.getLong("seed", 7));
    private static long nextExtra = EXTRA;

    @BeforeAll
    static void start() throws IOException {
        Path binary = Minio.binary();
        String store = "file:" + folder.resolve("objects");
        if (binary != null) {
            minio = Minio.start(binary, Files.createDirectory(folder.resolve("minio")));
            store = minio.uri();
        }
        report("object store: %s", minio == null ? store : "MinIO");
        playground =
                Playground.start(
                        folder.resolve("cluster"),
                        "--api-version",
                        "1ttl",
                        "--object-store",
                        store);
        connect();
    }

    @AfterAll
    static void stop() throws Exception {
        session.close();
        playground.close();
        if (minio != null) {
            minio.close();
        }
    }

    @Test
    @Order(1)
    void loads() throws Exception {
        long begin = System.nanoTime();
        new RowLoad(rows, client).write(0, ROWS);
        report("loaded %d rows in %d ms", ROWS, (System.nanoTime() - begin) / 1_000_000);
        verifyAll();
    }

    @Test
    @Order(2)
    void aRegionMovesUnderWrites() throws Exception {
        ManagedChannel channel = playground.channel(playground.pd());
        try (Writer writer = new Writer(client, rows, takeExtra())) {
            for (RegionInfo region :
                    Splitter.regions(Playground.cluster(channel)).stream().limit(3).toList()) {
                awaitWrites(writer, 20);
                writer.takeLongestGapMillis();
                long gap =
                        Playground.cluster(channel)
                                .withDeadlineAfter(30, TimeUnit.SECONDS)
                                .moveRegion(
                                        MoveRegionRequest.newBuilder()
                                                .setRegionId(region.getShape().getRegionId())
                                                .setTargetStoreId(otherStore(region))
                                                .setTimeoutMs(20_000)
                                                .build())
                                .getGapMs();
                awaitWrites(writer, 20);
                report(
                        "moved region of %d bytes: gap %d ms at PD, %d ms at the writer",
                        region.getApproximateBytes(), gap, writer.takeLongestGapMillis());
            }
            writer.close();
            verify(writer);
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    @Order(3)
    void aWalNodeDies() throws Exception {
        JsonNode wal = playground.ready().get("wal").get(2);
        try (Writer writer = new Writer(client, rows, takeExtra())) {
            awaitWrites(writer, 20);
            Playground.signal(wal.get("pid").asLong(), "KILL");
            awaitWrites(writer, 200);
            Process again = playground.rerun("wal-3");
            awaitWrites(writer, 200);
            assertThat(again.isAlive()).isTrue();
            writer.close();
            report("WAL node killed: longest gap %d ms", writer.takeLongestGapMillis());
            verify(writer);
        }
        verifyAll();
    }

    @Test
    @Order(4)
    void aStoppedLeaderAnswersNothingStale() throws Exception {
        RegionInfo region = regions().get(0);
        JsonNode store = store(region.getOwner().getStoreId());
        ByteString key = ByteString.copyFrom(inside(region));
        client.put(key, ByteString.copyFromUtf8("old"));
        ManagedChannel channel = playground.channel(store.get("addr").asText());
        try {
            assertThat(
                            TikvGrpc.newBlockingStub(channel)
                                    .rawGet(read(region, key))
                                    .getValue()
                                    .toStringUtf8())
                    .startsWith("old");
            Playground.signal(store.get("pid").asLong(), "STOP");
            Future<RawGetResponse> waiting =
                    TikvGrpc.newFutureStub(channel).rawGet(read(region, key));
            long begin = System.nanoTime();
            client.put(key, ByteString.copyFromUtf8("new"));
            report(
                    "leader stopped: written elsewhere after %d ms",
                    (System.nanoTime() - begin) / 1_000_000);
            Awaitility.await()
                    .pollDelay(Duration.ofSeconds(PAUSE_SECONDS))
                    .atMost(Duration.ofSeconds(PAUSE_SECONDS + 5))
                    .until(() -> true);
            Playground.signal(store.get("pid").asLong(), "CONT");
            RawGetResponse answer = waiting.get(30, TimeUnit.SECONDS);
            assertThat(
                            answer.hasRegionError()
                                    || answer.getValue().toStringUtf8().startsWith("new"))
                    .as("%s", answer)
                    .isTrue();
            assertThat(client.get(key)).contains(ByteString.copyFromUtf8("new"));
        } finally {
            Playground.signal(store.get("pid").asLong(), "CONT");
            channel.shutdownNow();
        }
        verifyAll();
    }

    @Test
    @Order(5)
    void aLeaderDiesWithItsDisk() throws Exception {
        JsonNode store = store(regions().get(0).getOwner().getStoreId());
        try (Writer writer = new Writer(client, rows, takeExtra())) {
            awaitWrites(writer, 20);
            writer.takeLongestGapMillis();
            Playground.signal(store.get("pid").asLong(), "KILL");
            deleteTree(Path.of(store.get("data_dir").asText()));
            awaitWrites(writer, 200);
            report(
                    "leader killed, folder deleted: longest gap %d ms",
                    writer.takeLongestGapMillis());
            writer.close();
            verify(writer);
        }
        verifyAll();
        playground.rerun(Path.of(store.get("data_dir").asText()).getFileName().toString());
        awaitStoresUp(2);
        verifyAll();
    }

    @Test
    @Order(6)
    void theObjectStoreHangs() throws Exception {
        if (minio == null) {
            String message = "SKIPPED: no outage of the object store without minio on the PATH";
            System.err.println(message);
            Assumptions.abort(message);
        }
        long begin = System.nanoTime();
        long objects;
        try (Writer writer = new Writer(client, rows, takeExtra())) {
            awaitWrites(writer, 20);
            minio.suspend();
            objects = minio.objects();
            writer.takeLongestGapMillis();
            long first = takeExtra();
            new RowLoad(rows, client).write(first, first + OUTAGE_ROWS);
            new RowLoad(rows, client).verify(first, first + OUTAGE_ROWS);
            verifyAll();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(OUTAGE_SECONDS + 300))
                    .until(() -> System.nanoTime() - begin > OUTAGE_SECONDS * 1_000_000_000L);
            awaitWrites(writer, 20);
            report(
                    "object store stopped for %d s, %d MB written meanwhile: longest gap %d ms",
                    (System.nanoTime() - begin) / 1_000_000_000L,
                    OUTAGE_ROWS * Rows.BYTES >> 20,
                    writer.takeLongestGapMillis());
            minio.resume();
            writer.close();
            verify(writer);
            new RowLoad(rows, client).verify(first, first + OUTAGE_ROWS);
        } finally {
            minio.resume();
        }
        Awaitility.await("uploads catch up")
                .atMost(Duration.ofSeconds(120))
                .until(() -> minio.objects() > objects);
        verifyAll();
    }

    @Test
    @Order(7)
    void everythingStopsAndStartsAgain() throws Exception {
        session.close();
        playground = playground.restart();
        connect();
        verifyAll();
    }

    private static void connect() {
        session = TiSession.create(Clients.raw(playground));
        client = session.createRawClient();
    }

    private static long takeExtra() {
        nextExtra += 1L << 30;
        return nextExtra;
    }

    private static void verifyAll() throws Exception {
        new RowLoad(rows, client).verify(0, ROWS);
    }

    private static void verify(Writer writer) {
        int checked = 0;
        for (long row : writer.acknowledged()) {
            assertThat(client.get(rows.key(row)))
                    .as("acknowledged row %d", row)
                    .contains(rows.value(row));
            checked++;
        }
        report("%d acknowledged writes are there, %d had failed", checked, writer.failures());
    }

    private static void awaitWrites(Writer writer, int more) {
        int target = writer.count() + more;
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> writer.count() >= target);
    }

    private static List<RegionInfo> regions() {
        ManagedChannel channel = playground.channel(playground.pd());
        try {
            return Splitter.regions(Playground.cluster(channel)).stream()
                    .filter(r -> r.getState() == RegionState.LEADING)
                    .toList();
        } finally {
            channel.shutdownNow();
        }
    }

    private static void awaitStoresUp(int count) {
        ManagedChannel channel = playground.channel(playground.pd());
        try {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .until(
                            () ->
                                    Playground.cluster(channel)
                                                    .clusterStatus(
                                                            io.tidekv.proto.cluster
                                                                    .ClusterStatusRequest
                                                                    .getDefaultInstance())
                                                    .getStoresUp()
                                            == count);
        } finally {
            channel.shutdownNow();
        }
    }

    private static long otherStore(RegionInfo region) {
        for (JsonNode store : playground.ready().get("compute")) {
            if (store.get("id").asLong() != region.getOwner().getStoreId()) {
                return store.get("id").asLong();
            }
        }
        throw new IllegalStateException("one store only");
    }

    private static JsonNode store(long id) {
        for (JsonNode store : playground.ready().get("compute")) {
            if (store.get("id").asLong() == id) {
                return store;
            }
        }
        throw new IllegalStateException("no store " + id);
    }

    private static byte[] inside(RegionInfo region) {
        return region.getShape()
                .getStartKey()
                .concat(com.google.protobuf.ByteString.copyFromUtf8("\u0001stale"))
                .toByteArray();
    }

    private static RawGetRequest read(RegionInfo region, ByteString key) {
        return RawGetRequest.newBuilder()
                .setContext(
                        Context.newBuilder()
                                .setRegionId(region.getShape().getRegionId())
                                .setRegionEpoch(
                                        RegionEpoch.newBuilder()
                                                .setVersion(region.getShape().getVersion())
                                                .setConfVer(region.getShape().getConfVer()))
                                .setPeer(
                                        Peer.newBuilder()
                                                .setId(region.getShape().getPeerId())
                                                .setStoreId(region.getOwner().getStoreId())))
                .setKey(com.google.protobuf.ByteString.copyFrom(key.toByteArray()))
                .build();
    }

    private static void deleteTree(Path tree) throws IOException {
        try (Stream<Path> walk = Files.walk(tree)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static void report(String format, Object... values) {
        System.out.println(String.format(java.util.Locale.ROOT, format, values));
    }
}
