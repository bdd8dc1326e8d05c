package io.tidekv.pd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.GetMinTSRequest;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.Timestamp;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three PD nodes: one leads, and when it goes another takes its place. */
class ThreePdServersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long CALL_SECONDS = 10;

    @TempDir Path temp;

    private long lastTimestamp;
    private final Map<String, PdServer> nodes = new LinkedHashMap<>();
    private final Map<PdServer, ManagedChannel> channels = new LinkedHashMap<>();

    @AfterEach
    void stop() {
        channels.values().forEach(ManagedChannel::shutdownNow);
        nodes.values().parallelStream().forEach(PdServer::close);
    }

    @Test
    void goOnWithoutTheirLeader() throws Exception {
        List<String> cluster = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            cluster.add("pd-" + i + "=http://127.0.0.1:" + freePort());
        }
        for (String member : cluster) {
            String name = member.substring(0, member.indexOf('='));
            start(name, member.substring(member.indexOf('=') + 1), String.join(",", cluster));
        }
        for (PdServer node : nodes.values()) {
            assertThat(node.awaitReady(PATIENCE)).isTrue();
        }
        // Whoever leads may change at any moment on a machine that is busy.
        eventually(this::everybodyKnowsTheLeader);
        long clusterId = leader().clusterId();
        eventually(this::registerWalNodes);
        eventually(() -> assertThat(timestamp(leader(), clusterId)).isPositive());
        long before = lastTimestamp;

        PdServer first = leader();
        nodes.values().remove(first);
        first.close();
        eventually(() -> assertThat(timestamp(leader(), clusterId)).isGreaterThan(before));
        eventually(this::everybodyKnowsTheLeader);
        eventually(
                () ->
                        assertThat(
                                        ClusterGrpc.newBlockingStub(channel(leader()))
                                                .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
                                                .listWal(ListWalRequest.getDefaultInstance())
                                                .getNodesList())
                                .as("what was replicated is there")
                                .hasSize(3));
        eventually(
                () -> {
                    registerWalNodes();
                    TestStore store = new TestStore(channel(leader()), "127.0.0.1:20160");
                    await().atMost(CALL_SECONDS, TimeUnit.SECONDS)
                            .until(() -> !store.regions.isEmpty());
                });
    }

    /** Again with each leader: they are alive to whom they have talked to. */
    private void registerWalNodes() {
        TestStore.registerWal(channel(leader()), "x");
        TestStore.registerWal(channel(leader()), "y");
        TestStore.registerWal(channel(leader()), "z");
    }

    private static void eventually(ThrowingRunnable asserted) {
        await().atMost(PATIENCE).ignoreExceptions().untilAsserted(asserted);
    }

    private void everybodyKnowsTheLeader() throws Exception {
        PdServer leads = leader();
        for (PdServer node : nodes.values()) {
            GetMembersResponse members = members(node);
            assertThat(members.getMembersList()).hasSize(3);
            assertThat(members.getLeader().getClientUrls(0)).endsWith(":" + leads.port());
            assertThat(members.getHeader().getClusterId()).isEqualTo(leads.clusterId());
            if (node != leads) {
                assertNotLeader(node, leads.clusterId());
            }
        }
    }

    private void start(String name, String peerUrl, String cluster) throws IOException {
        nodes.put(
                name,
                PdServer.start(
                        PdServerTest.config(
                                temp.resolve(name),
                                Map.of(
                                        "name", name,
                                        "peer-urls", peerUrl,
                                        "initial-cluster", cluster,
                                        "raft.election-timeout", "1s"))));
    }

    private PdServer leader() {
        return nodes.values().stream().filter(PdServer::leading).findFirst().orElseThrow();
    }

    private ManagedChannel channel(PdServer node) {
        return channels.computeIfAbsent(
                node, n -> GrpcTransports.channel("127.0.0.1:" + n.port()).build());
    }

    private GetMembersResponse members(PdServer node) {
        return PDGrpc.newBlockingStub(channel(node))
                .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
                .getMembers(GetMembersRequest.getDefaultInstance());
    }

    private long timestamp(PdServer node, long clusterId) {
        Timestamp timestamp =
                PDGrpc.newBlockingStub(channel(node))
                        .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
                        .getMinTS(
                                GetMinTSRequest.newBuilder()
                                        .setHeader(
                                                RequestHeader.newBuilder().setClusterId(clusterId))
                                        .build())
                        .getTimestamp();
        lastTimestamp = timestamp.getPhysical() << 18 | timestamp.getLogical();
        return lastTimestamp;
    }

    private void assertNotLeader(PdServer node, long clusterId) throws Exception {
        try {
            timestamp(node, clusterId);
            throw new AssertionError("a follower gave a timestamp");
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(e).hasMessageContaining("not leader");
        }
        HttpResponse<String> regions =
                HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(
                                                URI.create(
                                                        "http://127.0.0.1:"
                                                                + node.port()
                                                                + "/pd/api/v1/regions"))
                                        .timeout(Duration.ofSeconds(CALL_SECONDS))
                                        .version(HttpClient.Version.HTTP_1_1)
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
        assertThat(regions.statusCode()).isEqualTo(503);
        assertThat(regions.body()).contains("not leader");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
