package io.tidekv.wal.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.config.Settings;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.wal.StatusRequest;
import io.tidekv.proto.wal.TailRequest;
import io.tidekv.proto.wal.TailResponse;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole nodes over real sockets and files. */
class WalServerTest {
    private static final long CLUSTER = 77;

    @TempDir Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private FakePd pd;

    @BeforeEach
    void startPd() throws IOException {
        pd = new FakePd(CLUSTER, 0);
        opened.add(pd);
    }

    @AfterEach
    void closeAll() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    private WalConfig config(String name, int port, Map<String, String> more) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("addr", "127.0.0.1:" + port);
        settings.put("status-addr", "127.0.0.1:0");
        settings.put("pd-endpoints", "http://127.0.0.1:" + pd.port());
        settings.put("data-dir", folder.resolve(name).toString());
        settings.put("storage.reserved-space", "0B");
        settings.putAll(more);
        return Settings.load(WalConfig.class, null, settings);
    }

    private WalServer node(String name) throws Exception {
        WalServer server = WalServer.start(config(name, 0, Map.of()));
        opened.add(server);
        assertThat(server.awaitRegistered(Duration.ofSeconds(5))).isTrue();
        return server;
    }

    private TestLeader leader(WalServer server, long store) {
        return leader(CLUSTER, server.walId(), server.port(), store);
    }

    private TestLeader leader(long cluster, long walId, int port, long store) {
        TestLeader leader = new TestLeader(cluster, store, 10 + store, walId, "127.0.0.1:" + port);
        opened.add(leader);
        return leader;
    }

    private static void awaitConnected(TestLeader leader) {
        await().atMost(Duration.ofSeconds(5)).until(leader::isConnected);
    }

    private ManagedChannel channel(WalServer server) {
        ManagedChannel channel = GrpcTransports.channel("127.0.0.1:" + server.port()).build();
        opened.add(channel::shutdownNow);
        return channel;
    }

    @Test
    void threeNodesKeepALog() throws Exception {
        for (String name : List.of("a", "b", "c")) {
            WalServer server = node(name);
            TestLeader first = leader(server, 1);
            awaitConnected(first);
            assertThat(first.open(5, 1).getError().getCode())
                    .isEqualTo(WalErrorCode.UNKNOWN_REGION);
            assertThat(first.create(5).hasCreate()).isTrue();
            long session = first.open(5, 1).getOpen().getSession();
            assertThat(first.append(5, 1, 0, 0).getAppend().getLastIndex()).isEqualTo(1);
            assertThat(first.append(5, 1, 1, 1).getAppend().getMatched()).isTrue();
            assertThat(first.append(5, 1, 7, 1).getAppend().getMatched()).isFalse();
            assertThat(first.read(5, 1).getRead().getEntriesCount()).isEqualTo(2);
            assertThat(first.renew(session).getRenew().getSession()).isEqualTo(session);

            TestLeader second = leader(server, 2);
            awaitConnected(second);
            WalResponse held = second.open(5, 2);
            assertThat(held.getError().getCode()).isEqualTo(WalErrorCode.LEASE_HELD);
            assertThat(first.append(5, 1, 2, 2).getPendingTerm()).isEqualTo(2);
            assertThat(first.release(5, 1).hasRelease()).isTrue();
            assertThat(second.open(5, 2).getOpen().getLastIndex()).isEqualTo(3);
            assertThat(first.append(5, 1, 3, 2).getError().getCode())
                    .isEqualTo(WalErrorCode.STALE_TERM);
        }
        assertThat(pd.addressById).hasSize(3);
        await().until(() -> pd.heartbeats.get() >= 3);
    }

    @Test
    void aRestartedNodeHasItsLogAndRefusesForTheLease() throws Exception {
        WalServer before = node("a");
        TestLeader first = leader(before, 1);
        awaitConnected(first);
        first.create(5);
        first.open(5, 1);
        for (long prev = 0; prev < 20; prev++) {
            first.append(5, 1, prev, prev);
        }
        int port = before.port();
        before.close();
        await().until(() -> first.disconnections.get() == 1);
        // PD is away: the folder knows the cluster, so the node serves.
        pd.close();
        WalServer after = WalServer.start(config("a", port, Map.of()));
        opened.add(after);
        assertThat(after.walId()).isEqualTo(before.walId());
        awaitConnected(first);
        assertThat(first.connections).hasValue(2);
        assertThat(first.read(5, 1).getRead().getEntriesCount()).isEqualTo(20);
        TestLeader second = leader(after, 2);
        awaitConnected(second);
        assertThat(second.open(5, 2).getError().getCode()).isEqualTo(WalErrorCode.LEASE_HELD);
        await().atMost(Duration.ofSeconds(8))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> second.open(5, 2).hasOpen());
    }

    @Test
    void manyAppendsShareASync() throws Exception {
        WalServer server = node("a");
        TestLeader leader = leader(server, 1);
        awaitConnected(leader);
        for (long region = 1; region <= 100; region++) {
            leader.create(region);
            leader.open(region, 1);
        }
        var stub = WalGrpc.newBlockingStub(channel(server));
        long before = stub.status(StatusRequest.getDefaultInstance()).getFsyncs();
        List<CompletableFuture<WalResponse>> answers = new ArrayList<>();
        for (long prev = 0; prev < 20; prev++) {
            for (long region = 1; region <= 100; region++) {
                answers.add(leader.appendLater(region, 1, prev, prev, 200));
            }
        }
        for (CompletableFuture<WalResponse> answer : answers) {
            assertThat(answer.get(10, TimeUnit.SECONDS).getAppend().getMatched()).isTrue();
        }
        var status = stub.status(StatusRequest.getDefaultInstance());
        assertThat(status.getAppends()).isEqualTo(2000);
        assertThat(status.getFsyncs() - before).isBetween(1L, 1000L);
        assertThat(status.getRegions()).isEqualTo(100);
    }

    @Test
    void anEntryOf32MegabytesIsKeptAndOneTooLargeHurtsNobody() throws Exception {
        WalServer server = node("a");
        TestLeader leader = leader(server, 1);
        awaitConnected(leader);
        leader.create(5);
        leader.open(5, 1);
        WalResponse kept = leader.appendLater(5, 1, 0, 0, 32 << 20).get(20, TimeUnit.SECONDS);
        assertThat(kept.getAppend().getLastIndex()).isEqualTo(1);
        assertThat(leader.read(5, 1).getRead().getEntries(0).getData().size()).isEqualTo(32 << 20);
        CompletableFuture<WalResponse> tooLarge = leader.appendLater(5, 1, 1, 1, 80 << 20);
        assertThatThrownBy(() -> tooLarge.get(20, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class);
        await().atMost(Duration.ofSeconds(5)).until(() -> leader.connections.get() == 2);
        assertThat(leader.read(5, 2).getRead().getEntriesCount()).isZero();
        assertThat(leader.append(5, 1, 1, 1).getAppend().getMatched()).isTrue();
    }

    @Test
    void aTailGetsWhatIsCommittedAndNothingElse() throws Exception {
        WalServer server = node("a");
        TestLeader leader = leader(server, 1);
        awaitConnected(leader);
        leader.create(5);
        leader.open(5, 1);
        leader.append(5, 1, 0, 0);
        leader.append(5, 1, 1, 1);
        TailRequest request =
                TailRequest.newBuilder()
                        .setClusterId(CLUSTER)
                        .setRegionId(5)
                        .setFromIndex(1)
                        .build();
        Iterator<TailResponse> tail =
                WalGrpc.newBlockingStub(channel(server))
                        .withDeadlineAfter(10, TimeUnit.SECONDS)
                        .tail(request);
        TailResponse first = tail.next();
        assertThat(first.getEntriesCount()).isEqualTo(1);
        assertThat(first.getCommitIndex()).isEqualTo(1);
        for (long prev = 2; prev < 50; prev++) {
            assertThat(leader.append(5, 1, prev, prev).getAppend().getMatched()).isTrue();
        }
        long next = 2;
        while (next < 50) {
            TailResponse more = tail.next();
            for (var entry : more.getEntriesList()) {
                assertThat(entry.getIndex()).isEqualTo(next++);
            }
            assertThat(next).isLessThanOrEqualTo(more.getCommitIndex() + 1);
        }
        var unknown =
                WalGrpc.newBlockingStub(channel(server))
                        .tail(request.toBuilder().setRegionId(6).build());
        assertStatus(unknown::next, Status.Code.NOT_FOUND, "not known");
        var foreign =
                WalGrpc.newBlockingStub(channel(server))
                        .tail(request.toBuilder().setClusterId(1).build());
        assertStatus(foreign::next, Status.Code.FAILED_PRECONDITION, "belongs to cluster 77");
    }

    private static void assertStatus(Runnable call, Status.Code code, String text) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
                .hasMessageContaining(text);
    }

    @Test
    void strangersAreRefused() throws Exception {
        WalServer server = node("a");
        TestLeader wrongCluster = leader(78, server.walId(), server.port(), 1);
        TestLeader wrongNode = leader(CLUSTER, server.walId() + 1, server.port(), 1);
        TestLeader nobody = leader(CLUSTER, server.walId(), server.port(), 0);
        TestLeader right = leader(server, 1);
        awaitConnected(right);
        assertThat(wrongCluster.isConnected()).isFalse();
        assertThat(wrongNode.isConnected()).isFalse();
        assertThat(nobody.isConnected()).isFalse();
    }

    @Test
    void aFolderBelongsToOneNodeOfOneCluster() throws Exception {
        WalServer server = node("a");
        assertThatThrownBy(() -> WalServer.start(config("a", 0, Map.of())))
                .hasMessageContaining("in use by another process");
        assertThatThrownBy(() -> WalServer.start(config("b", server.port(), Map.of())))
                .hasMessageContaining("addr")
                .hasMessageContaining("another port");
        server.close();

        FakePd other = new FakePd(99, 0);
        opened.add(other);
        Map<String, String> there = Map.of("pd-endpoints", "127.0.0.1:" + other.port());
        WalServer astray = WalServer.start(config("a", 0, there));
        opened.add(astray);
        await().until(() -> astray.problem().contains("this is cluster 99"));
        assertThat(astray.walId()).isEqualTo(server.walId());

        Path foreign = Files.createDirectories(folder.resolve("foreign"));
        Files.writeString(foreign.resolve("ibdata1"), "x");
        assertThatThrownBy(() -> WalServer.start(config("foreign", 0, Map.of())))
                .hasMessageContaining("ibdata1")
                .hasMessageContaining("name an empty folder");
        Files.writeString(folder.resolve("file"), "x");
        assertThatThrownBy(() -> WalServer.start(config("file", 0, Map.of())))
                .hasMessageContaining("not a folder");
    }

    @Test
    void anEmptiedFolderIsNotTheOldNode() throws Exception {
        node("a").close();
        try (var files = Files.list(folder.resolve("a"))) {
            for (Path file : files.filter(one -> one.toString().endsWith(".wal")).toList()) {
                Files.delete(file);
            }
        }
        assertThatThrownBy(() -> WalServer.start(config("a", 0, Map.of())))
                .hasMessageContaining("segments are missing");
        Path identity = folder.resolve("a").resolve("IDENTITY");
        Files.writeString(identity, Files.readString(identity).replace("77", "78"));
        assertThatThrownBy(() -> WalServer.start(config("a", 0, Map.of())))
                .hasMessageContaining("checksum");
    }

    @Test
    void pagesTellTheState() throws Exception {
        WalServer server = node("a");
        HttpClient client = HttpClient.newHttpClient();
        Map<String, String> expected =
                Map.of(
                        "/status", "\"cluster_id\" : \"77\"",
                        "/config", "segment-size = \"64MB\"",
                        "/metrics", "tidekv_wal_commit_duration_seconds_count",
                        "/health", "ok");
        for (Map.Entry<String, String> page : expected.entrySet()) {
            URI uri = URI.create("http://127.0.0.1:" + server.statusPort() + page.getKey());
            String body =
                    client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                            .body();
            assertThat(body).contains(page.getValue());
        }
    }
}
