package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.ManagedChannel;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.RegionInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiSession;
import org.tikv.raw.RawKVClient;

/**
 * Five WAL nodes, three voters a region. While a client writes, one node is drained and another one
 * that was killed is replaced; then both are gone for good and new owners read from those that took
 * their place.
 */
class WalNodesTest {
    @TempDir Path folder;

    private final Rows rows = new Rows(Long.getLong("seed", 11));

    @Test
    void areDrainedAndReplacedUnderWrites() throws Exception {
        try (Playground playground =
                Playground.start(
                        folder.resolve("cluster"), "--api-version", "1ttl", "--wal", "5")) {
            ManagedChannel channel = playground.channel(playground.pd());
            try (TiSession session = TiSession.create(Clients.raw(playground));
                    RawKVClient client = session.createRawClient();
                    Writer writer = new Writer(client, rows, 0)) {
                ClusterGrpc.ClusterBlockingStub cluster = Playground.cluster(channel);
                awaitWrites(writer, 50);
                long drained = voters(cluster).first();
                order(playground, "drain", "" + drained);
                assertThat(voters(cluster)).doesNotContain(drained);
                assertEachRegionHasThree(cluster);
                awaitWrites(writer, 50);

                long killed = voters(cluster).first();
                long spare = idle(playground, voters(cluster), drained);
                signal(playground, killed);
                awaitWrites(writer, 50);
                order(playground, "replace", "" + killed, "--with", "" + spare);
                assertThat(voters(cluster)).doesNotContain(killed).contains(spare);
                assertEachRegionHasThree(cluster);
                assertThat(held(cluster, drained)).isZero();

                signal(playground, drained);
                awaitWrites(writer, 50);
                for (JsonNode store : playground.ready().get("compute")) {
                    Playground.signal(store.get("pid").asLong(), "KILL");
                }
                playground.rerun("compute-1");
                playground.rerun("compute-2");
                awaitWrites(writer, 50);
                writer.close();
                for (long row : writer.acknowledged()) {
                    assertThat(client.get(rows.key(row)))
                            .as("acknowledged row %d", row)
                            .contains(rows.value(row));
                }
                System.out.printf("%d writes, %d failed%n", writer.count(), writer.failures());
            } finally {
                channel.shutdownNow();
            }
        }
    }

    private static void order(Playground playground, String... words) throws Exception {
        List<String> command =
                new java.util.ArrayList<>(List.of("ctl", "--pd", playground.pd(), "wal"));
        command.addAll(List.of(words));
        Playground.Result result = playground.tidekv(command);
        System.out.println(String.join(" ", words) + ": " + result.output());
        assertThat(result.code()).as(result.output()).isZero();
    }

    /** All nodes that are voters of some region. */
    private static TreeSet<Long> voters(ClusterGrpc.ClusterBlockingStub cluster) {
        TreeSet<Long> voters = new TreeSet<>();
        for (RegionInfo region : Splitter.regions(cluster)) {
            voters.addAll(region.getConfig().getWalIdsList());
        }
        return voters;
    }

    private static void assertEachRegionHasThree(ClusterGrpc.ClusterBlockingStub cluster) {
        assertThat(Splitter.regions(cluster))
                .allSatisfy(r -> assertThat(r.getConfig().getWalIdsList()).hasSize(3));
    }

    private static long held(ClusterGrpc.ClusterBlockingStub cluster, long walId) {
        return cluster.listWal(ListWalRequest.getDefaultInstance()).getNodesList().stream()
                .filter(n -> n.getWalId() == walId)
                .findFirst()
                .orElseThrow()
                .getRegions();
    }

    private static long idle(Playground playground, TreeSet<Long> voters, long drained) {
        return StreamSupport.stream(playground.ready().get("wal").spliterator(), false)
                .map(node -> node.get("id").asLong())
                .filter(id -> id != drained && !voters.contains(id))
                .findFirst()
                .orElseThrow();
    }

    private static void signal(Playground playground, long walId) {
        for (JsonNode node : playground.ready().get("wal")) {
            if (node.get("id").asLong() == walId) {
                Playground.signal(node.get("pid").asLong(), "KILL");
            }
        }
    }

    private static void awaitWrites(Writer writer, int more) {
        int target = writer.count() + more;
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> writer.count() >= target);
    }
}
