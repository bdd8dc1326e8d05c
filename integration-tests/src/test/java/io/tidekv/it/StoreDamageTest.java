package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.ManagedChannel;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiConfiguration;
import org.tikv.common.TiSession;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * Damage in the object store makes the region that needs the object unavailable, by name, and
 * nobody else.
 */
class StoreDamageTest {
    @TempDir Path folder;

    @Test
    void onlyTheRegionThatLostAnObjectSuffers() throws Exception {
        Path bucket = folder.resolve("bucket");
        String[] flags = {"--api-version", "1ttl", "--object-store", "file:" + bucket};
        Path data = folder.resolve("cluster");
        Playground before = Playground.startInOneProcess(data, flags);
        try {
            load(before);
        } finally {
            before.kill();
        }
        damage(bucket);
        Playground playground = Playground.startInOneProcess(data, flags);
        try {
            expectReadyAndSaid(playground);
            expectOneRegionUnavailable(playground);
        } finally {
            playground.kill();
        }
    }

    /** What is damaged does not keep the rest from being ready, and is named. */
    private static void expectReadyAndSaid(Playground playground) throws Exception {
        JsonNode damaged = playground.ready().get("damaged");
        assertThat(damaged).hasSize(1);
        assertThat(damaged.get(0).get("error").asText()).contains("record/");
        Command.Result status = Command.run("ctl", "--pd", playground.pd(), "status");
        assertThat(status.code()).isEqualTo(1);
        assertThat(status.output())
                .contains("DAMAGED   region " + damaged.get(0).get("region").asLong())
                .contains("record/");
    }

    private static void load(Playground playground) throws Exception {
        try (TiSession session = TiSession.create(Clients.raw(playground));
                RawKVClient client = session.createRawClient();
                Splitter splitter =
                        new Splitter(
                                playground,
                                List.of(com.google.protobuf.ByteString.copyFromUtf8("m")),
                                0)) {
            splitter.join();
            for (int i = 0; i < 100; i++) {
                client.put(ByteString.copyFromUtf8("a" + i), ByteString.copyFromUtf8("value"));
                client.put(ByteString.copyFromUtf8("z" + i), ByteString.copyFromUtf8("value"));
            }
        }
    }

    /** Garbage everywhere, and the newest record of one region cut in half. */
    private static void damage(Path bucket) throws IOException {
        try (Stream<Path> walk = Files.walk(bucket)) {
            List<Path> files = walk.filter(Files::isRegularFile).toList();
            for (Path folder : files.stream().map(Path::getParent).distinct().toList()) {
                Files.writeString(folder.resolve("garbage \u00e4 name"), "nothing");
                Files.writeString(folder.resolve("999999-1-zzz.sst"), "no table");
            }
            Path region =
                    files.stream()
                            .filter(f -> f.toString().contains("/record/"))
                            .map(Path::getParent)
                            .sorted()
                            .findFirst()
                            .orElseThrow();
            for (Path record : files.stream().filter(f -> f.getParent().equals(region)).toList()) {
                byte[] bytes = Files.readAllBytes(record);
                Files.write(record, java.util.Arrays.copyOf(bytes, bytes.length / 2));
            }
        }
    }

    private static void expectOneRegionUnavailable(Playground playground) throws Exception {
        ManagedChannel channel = playground.channel(playground.pd());
        try {
            ClusterGrpc.ClusterBlockingStub cluster = Playground.cluster(channel);
            Awaitility.await("one region failed, the other leads")
                    .atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .untilAsserted(
                            () -> {
                                List<RegionInfo> regions = Splitter.regions(cluster);
                                assertThat(regions).hasSize(2);
                                assertThat(regions)
                                        .filteredOn(r -> r.getState() == RegionState.LEADING)
                                        .hasSize(1);
                                assertThat(regions)
                                        .filteredOn(r -> !r.getError().isEmpty())
                                        .hasSize(1);
                            });
            RegionInfo failed =
                    Splitter.regions(cluster).stream()
                            .filter(r -> !r.getError().isEmpty())
                            .findFirst()
                            .orElseThrow();
            System.out.println("region says: " + failed.getError());
            assertThat(failed.getError()).contains("record/");
            String alive = failed.getShape().getStartKey().isEmpty() ? "z" : "a";
            TiConfiguration conf = Clients.raw(playground);
            // It would read the first key, and be told for 30 s that its region is damaged.
            conf.setWarmUpEnable(false);
            try (TiSession session = TiSession.create(conf);
                    RawKVClient client = session.createRawClient()) {
                for (int i = 0; i < 100; i++) {
                    assertThat(client.get(ByteString.copyFromUtf8(alive + i))).isPresent();
                }
            }
            assertThat(
                            cluster.clusterStatus(ClusterStatusRequest.getDefaultInstance())
                                    .getStoresUp())
                    .as("stores that are alive")
                    .isEqualTo(2);
        } finally {
            channel.shutdownNow();
        }
    }
}
