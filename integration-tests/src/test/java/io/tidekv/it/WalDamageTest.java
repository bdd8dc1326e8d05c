package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.ManagedChannel;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.WalNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiSession;
import org.tikv.raw.RawKVClient;

/**
 * Bytes in the middle of what WAL nodes have acknowledged change. One of three repairs itself from
 * the others; of two, nobody claims to know what they knew.
 */
class WalDamageTest {
    private static final int BATCH = 0x5442_4154; // "TBAT"

    @TempDir Path folder;

    private final Rows rows = new Rows(Long.getLong("seed", 12));

    @Test
    void oneOfThreeRepairsItself() throws Exception {
        try (Playground playground =
                Playground.start(folder.resolve("cluster"), "--api-version", "1ttl")) {
            ManagedChannel channel = playground.channel(playground.pd());
            try (TiSession session = TiSession.create(Clients.raw(playground));
                    RawKVClient client = session.createRawClient();
                    Writer writer = new Writer(client, rows, 0)) {
                awaitWrites(writer, 100);
                Path damaged = damage(playground, 1);
                awaitWrites(writer, 50);
                playground.rerun("wal-1");
                awaitRepaired(playground, Playground.cluster(channel), damaged);
                awaitWrites(writer, 50);

                // Now it has to count: without the second node it is one of two.
                kill(playground, "wal", 2);
                awaitWrites(writer, 50);
                kill(playground, "compute", 1);
                kill(playground, "compute", 2);
                playground.rerun("compute-1");
                playground.rerun("compute-2");
                awaitWrites(writer, 50);
                writer.close();
                for (long row : writer.acknowledged()) {
                    assertThat(client.get(rows.key(row)))
                            .as("acknowledged row %d", row)
                            .contains(rows.value(row));
                }
            } finally {
                channel.shutdownNow();
            }
        }
    }

    private static void awaitRepaired(
            Playground playground, ClusterGrpc.ClusterBlockingStub cluster, Path damaged)
            throws Exception {
        Awaitility.await("repaired")
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .untilAsserted(
                        () -> {
                            assertThat(Path.of(damaged + ".damaged")).exists();
                            WalNode node = node(playground, cluster);
                            assertThat(node.getState()).isEqualTo("Up");
                            assertThat(node.getCatchingUp()).isZero();
                            assertThat(catchingUp(playground)).isZero();
                        });
        Playground.Result list =
                playground.tidekv(List.of("ctl", "--pd", playground.pd(), "wal", "list"));
        assertThat(list.output()).contains("CATCHING-UP");
    }

    /** What the node itself says on its status page. */
    private static int catchingUp(Playground playground) throws IOException {
        String address = playground.ready().get("wal").get(0).get("status").asText();
        try (var in = java.net.URI.create("http://" + address + "/status").toURL().openStream()) {
            return new com.fasterxml.jackson.databind.ObjectMapper()
                    .readTree(in)
                    .get("catching_up")
                    .asInt();
        }
    }

    @Test
    void ofTwoNothingIsClaimed() throws Exception {
        try (Playground playground =
                Playground.start(folder.resolve("cluster"), "--api-version", "1ttl")) {
            ManagedChannel channel = playground.channel(playground.pd());
            try {
                try (TiSession session = TiSession.create(Clients.raw(playground));
                        RawKVClient client = session.createRawClient();
                        Writer writer = new Writer(client, rows, 0)) {
                    awaitWrites(writer, 100);
                }
                kill(playground, "compute", 1);
                kill(playground, "compute", 2);
                List<Path> damaged = List.of(damage(playground, 1), damage(playground, 2));
                playground.rerun("wal-1");
                playground.rerun("wal-2");
                playground.rerun("compute-1");
                playground.rerun("compute-2");
                ClusterGrpc.ClusterBlockingStub cluster = Playground.cluster(channel);
                Awaitility.await("refused")
                        .atMost(Duration.ofSeconds(60))
                        .ignoreExceptions()
                        .untilAsserted(
                                () ->
                                        assertThat(Splitter.regions(cluster))
                                                .anySatisfy(
                                                        region -> {
                                                            assertThat(region.getState())
                                                                    .isEqualTo(RegionState.FAILED);
                                                            assertThat(region.getError())
                                                                    .contains("2 of 3 voters");
                                                        }));
                for (Path file : damaged) {
                    assertThat(Path.of(file + ".damaged")).as("kept").exists();
                }
            } finally {
                channel.shutdownNow();
            }
        }
    }

    private static WalNode node(Playground playground, ClusterGrpc.ClusterBlockingStub cluster) {
        long id = playground.ready().get("wal").get(0).get("id").asLong();
        return cluster.listWal(ListWalRequest.getDefaultInstance()).getNodesList().stream()
                .filter(node -> node.getWalId() == id)
                .findFirst()
                .orElseThrow();
    }

    /** Kills the node and changes a byte in the middle of its log; returns the file. */
    private static Path damage(Playground playground, int number) throws IOException {
        kill(playground, "wal", number);
        Path file;
        try (Stream<Path> files = Files.walk(playground.dataDir().resolve("wal-" + number))) {
            file = files.filter(path -> path.toString().endsWith(".wal")).findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(file);
        java.nio.ByteBuffer log = java.nio.ByteBuffer.wrap(bytes);
        int written = bytes.length;
        while (bytes[written - 1] == 0) {
            written--;
        }
        int at = written / 2 & -512;
        while (log.getInt(at) != BATCH || log.getInt(at + 4) == 0) {
            at -= 512;
        }
        bytes[at + 48 + 20] ^= 1;
        Files.write(file, bytes);
        return file;
    }

    private static void kill(Playground playground, String role, int number) throws IOException {
        JsonNode node = playground.ready().get(role).get(number - 1);
        ProcessHandle process = ProcessHandle.of(node.get("pid").asLong()).orElseThrow();
        Playground.signal(process.pid(), "KILL");
        process.onExit().join();
    }

    private static void awaitWrites(Writer writer, int more) {
        int target = writer.count() + more;
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> writer.count() >= target);
    }
}
