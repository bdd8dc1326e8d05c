package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.WalNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    // The processes that run in place of those of the playground.
    private final Map<String, Process> again = new HashMap<>();

    /** Of one node nobody loses anything by it; then of two, and nobody claims to know what was. */
    @Test
    void oneIsRepairedAndOfTwoNothingIsClaimed() throws Exception {
        try (Playground playground =
                Playground.start(folder.resolve("cluster"), "--api-version", "1ttl")) {
            ManagedChannel channel = playground.channel(playground.pd());
            try {
                ClusterGrpc.ClusterBlockingStub cluster = Playground.cluster(channel);
                oneRepairsItself(playground, cluster);
                rerun(playground, "wal-2");
                ofTwoNothingIsClaimed(playground, cluster);
            } finally {
                channel.shutdownNow();
            }
        }
    }

    private void oneRepairsItself(Playground playground, ClusterGrpc.ClusterBlockingStub cluster)
            throws Exception {
        try (TiSession session = TiSession.create(Clients.raw(playground));
                RawKVClient client = session.createRawClient();
                Writer writer = new Writer(client, rows, 0)) {
            awaitWrites(writer, 100);
            Path damaged = damage(playground, 1);
            awaitWrites(writer, 50);
            rerun(playground, "wal-1");
            awaitRepaired(playground, cluster, damaged);
            awaitWrites(writer, 50);

            // Now it has to count: without the second node it is one of two.
            kill(playground, "wal", 2);
            awaitWrites(writer, 50);
            kill(playground, "compute", 1);
            kill(playground, "compute", 2);
            rerun(playground, "compute-1");
            rerun(playground, "compute-2");
            awaitWrites(writer, 50);
            writer.close();
            for (long row : writer.acknowledged()) {
                assertThat(client.get(rows.key(row)))
                        .as("acknowledged row %d", row)
                        .contains(rows.value(row));
            }
        }
    }

    private void ofTwoNothingIsClaimed(
            Playground playground, ClusterGrpc.ClusterBlockingStub cluster) throws Exception {
        kill(playground, "compute", 1);
        kill(playground, "compute", 2);
        List<Path> damaged = List.of(damage(playground, 1), damage(playground, 2));
        for (String role : List.of("wal-1", "wal-2", "compute-1", "compute-2")) {
            rerun(playground, role);
        }
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
    }

    private void rerun(Playground playground, String role) {
        again.put(role, playground.rerun(role));
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

    private static WalNode node(Playground playground, ClusterGrpc.ClusterBlockingStub cluster) {
        long id = playground.ready().get("wal").get(0).get("id").asLong();
        return cluster.listWal(ListWalRequest.getDefaultInstance()).getNodesList().stream()
                .filter(node -> node.getWalId() == id)
                .findFirst()
                .orElseThrow();
    }

    /** Kills the node and changes a byte in the middle of its log; returns the file. */
    private Path damage(Playground playground, int number) throws IOException {
        kill(playground, "wal", number);
        List<Path> segments;
        try (Stream<Path> files = Files.walk(playground.dataDir().resolve("wal-" + number))) {
            segments = files.filter(path -> path.toString().endsWith(".wal")).toList();
        }
        Path fullest = segments.get(0);
        for (Path segment : segments) {
            fullest = written(segment) > written(fullest) ? segment : fullest;
        }
        byte[] bytes = Files.readAllBytes(fullest);
        ByteBuffer log = ByteBuffer.wrap(bytes);
        int at = written(fullest) / 2 & -512;
        while (log.getInt(at) != BATCH || log.getInt(at + 4) == 0) {
            at -= 512;
        }
        bytes[at + 48 + 20] ^= 1;
        Files.write(fullest, bytes);
        return fullest;
    }

    /** Where the zeros begin. */
    private static int written(Path segment) throws IOException {
        byte[] bytes = Files.readAllBytes(segment);
        int written = bytes.length;
        while (written > 0 && bytes[written - 1] == 0) {
            written--;
        }
        return written;
    }

    private void kill(Playground playground, String role, int number) {
        Process rerun = again.get(role + "-" + number);
        long pid =
                rerun == null
                        ? playground.ready().get(role).get(number - 1).get("pid").asLong()
                        : rerun.pid();
        ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
        Playground.signal(process.pid(), "KILL");
        process.onExit().join();
    }

    private static void awaitWrites(Writer writer, int more) {
        int target = writer.count() + more;
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> writer.count() >= target);
    }
}
