package io.tidekv.compute.pd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.tidekv.common.config.Settings;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.pd.server.PdConfig;
import io.tidekv.pd.server.PdServer;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.RegisterWalResponse;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.cluster.WalHeartbeatRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store's side of its talks with PD, against a real one. */
class PdClientTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir private Path folder;
    private final ThreadScheduler scheduler = new ThreadScheduler("test-timer");
    private PdServer server;
    private PdClient client;

    @BeforeEach
    void start() throws IOException {
        server = startPd(0);
        client =
                new PdClient(
                        List.of("127.0.0.1:" + server.port()), SystemClock.INSTANCE, scheduler);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
        scheduler.close();
    }

    private PdServer startPd(int port) throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("data-dir", folder.resolve("pd").toString());
        settings.put("client-urls", "http://127.0.0.1:" + port);
        settings.put("peer-urls", "http://127.0.0.1:0");
        settings.put("pd-server.api-version", "1");
        settings.put("replication.voters", "1");
        return PdServer.start(Settings.load(PdConfig.class, null, settings));
    }

    @Test
    void aStoreIsGivenAnIdOnceAndAnIncarnationEachTime() {
        RegisterStoreResponse first = register();
        RegisterStoreResponse second = register();
        assertThat(first.getClusterId()).isEqualTo(server.clusterId());
        assertThat(second.getOwner().getStoreId()).isEqualTo(first.getOwner().getStoreId());
        assertThat(second.getOwner().getIncarnation())
                .isGreaterThan(first.getOwner().getIncarnation());
    }

    @Test
    void anotherApiModeIsRefusedAtOnce() {
        RegisterStoreRequest wrong =
                RegisterStoreRequest.newBuilder().setAddress("127.0.0.1:1").setApiMode(2).build();
        assertThatThrownBy(() -> client.register(wrong, PATIENCE))
                .isInstanceOfSatisfying(PdException.class, e -> assertThat(e.isRefused()).isTrue());
    }

    @Test
    void aPdThatIsNotThereIsNamedAfterTheDeadline() {
        try (PdClient lost =
                new PdClient(List.of("127.0.0.1:1"), SystemClock.INSTANCE, scheduler)) {
            assertThatThrownBy(
                            () ->
                                    lost.register(
                                            RegisterStoreRequest.getDefaultInstance(),
                                            Duration.ofMillis(300)))
                    .isInstanceOf(PdException.class)
                    .hasMessageContaining("pd.endpoints");
        }
    }

    @Test
    void timestampsGrowForEverybodyAndAcrossARestart() throws Exception {
        register();
        List<CompletableFuture<Long>> asked = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            asked.add(client.timestamps().next());
        }
        long last = 0;
        for (CompletableFuture<Long> one : asked) {
            long timestamp = one.get(10, TimeUnit.SECONDS);
            assertThat(timestamp).isGreaterThan(last);
            last = timestamp;
        }
        int port = server.port();
        server.close();
        CompletableFuture<Long> meanwhile = client.timestamps().next();
        server = startPd(port);
        assertThat(meanwhile.get(10, TimeUnit.SECONDS)).isGreaterThan(last);
    }

    @Test
    void reportsGoOnAfterARestartOfPdAndOrdersAreRepeated() throws Exception {
        RegisterStoreResponse registered = register();
        registerWal();
        Map<Long, RegionReport> regions = new ConcurrentHashMap<>();
        List<Assign> assigned = new CopyOnWriteArrayList<>();
        List<StoreCommand> others = new CopyOnWriteArrayList<>();
        try (StoreReporter reporter =
                new StoreReporter(
                        client,
                        registered.getClusterId(),
                        registered.getOwner(),
                        new Source(regions),
                        command -> {
                            if (command.hasAssign()) {
                                assigned.add(command.getAssign());
                            } else {
                                others.add(command);
                            }
                        },
                        SystemClock.INSTANCE,
                        scheduler)) {
            reporter.start();
            await().atMost(PATIENCE).until(() -> !assigned.isEmpty());
            assertThat(others).anyMatch(StoreCommand::hasWalNodes);
            Assign first = assigned.get(0);
            assertThat(first.hasOrigin()).isTrue();
            int port = server.port();
            server.close();
            server = startPd(port);
            int before = assigned.size();
            await().atMost(PATIENCE).until(() -> assigned.size() > before);
            assertThat(assigned.get(before).getTerm()).isEqualTo(first.getTerm());
            regions.put(
                    first.getShape().getRegionId(),
                    RegionReport.newBuilder()
                            .setShape(first.getShape())
                            .setTerm(first.getTerm())
                            .setState(RegionState.LEADING)
                            .build());
            reporter.reported().get(10, TimeUnit.SECONDS);
            int settled = assigned.size();
            await().during(Duration.ofMillis(700))
                    .atMost(PATIENCE)
                    .until(() -> assigned.size() == settled);
        }
    }

    private RegisterStoreResponse register() {
        return client.register(
                RegisterStoreRequest.newBuilder()
                        .setAddress("127.0.0.1:20160")
                        .setVersion("8.5.5")
                        .setApiMode(1)
                        .build(),
                PATIENCE);
    }

    /** A WAL node as far as PD can tell. */
    private void registerWal() {
        ManagedChannel channel = GrpcTransports.channel("127.0.0.1:" + server.port()).build();
        RegisterWalResponse wal =
                ClusterGrpc.newBlockingStub(channel)
                        .registerWal(
                                RegisterWalRequest.newBuilder()
                                        .setUuid("6f0b4f5a-0000-4000-8000-000000000001")
                                        .setAddress("127.0.0.1:20190")
                                        .build());
        WalHeartbeatRequest beat =
                WalHeartbeatRequest.newBuilder()
                        .setClusterId(wal.getClusterId())
                        .setWalId(wal.getWalId())
                        .build();
        scheduler.every(
                Duration.ofMillis(200),
                () -> ClusterGrpc.newFutureStub(channel).walHeartbeat(beat));
    }

    private record Source(Map<Long, RegionReport> all) implements StoreReporter.Source {
        @Override
        public Map<Long, StandbyReport> standbys() {
            return Map.of();
        }

        @Override
        public Map<Long, RegionReport> regions() {
            return Map.copyOf(all);
        }

        @Override
        public StoreStats stats() {
            return StoreStats.getDefaultInstance();
        }

        @Override
        public boolean leaving() {
            return false;
        }
    }
}
