package io.tidekv.compute.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.tidekv.common.config.Settings;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.MoveRegionResponse;
import io.tidekv.proto.cluster.SplitRegionRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The compute process with real PD, WAL nodes, RocksDB and files, in one JVM. */
class ComputeServerTest {
    @TempDir private Path folder;
    private ServerCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new ServerCluster(folder);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void regionsAreServedSplitMovedAndFoundAgainAfterAFullStop() throws Exception {
        ComputeServer a = ComputeServer.start(cluster.config("a"));
        for (int i = 0; i < 50; i++) {
            cluster.put("k" + i, "v" + i);
        }
        assertThat(cluster.get("k7")).isEqualTo("v7");
        assertThat(page(a, "/metrics")).contains("tikv_raftstore_region_count 1");
        ComputeServer b = ComputeServer.start(cluster.config("b"));
        long region = cluster.regions().get(0).getShape().getRegionId();
        cluster.cluster()
                .splitRegion(
                        SplitRegionRequest.newBuilder()
                                .setRegionId(region)
                                .addKeys(ByteString.copyFromUtf8("k3"))
                                .setTimeoutMs(15_000)
                                .build());
        assertThat(cluster.regions()).hasSize(2);
        MoveRegionResponse moved =
                cluster.cluster()
                        .moveRegion(
                                MoveRegionRequest.newBuilder()
                                        .setRegionId(region)
                                        .setTargetStoreId(b.storeId())
                                        .setTimeoutMs(15_000)
                                        .build());
        System.out.println("move: gap of " + moved.getGapMs() + " ms");
        cluster.put("k40", "moved");
        for (int i = 0; i < 40; i++) {
            assertThat(cluster.get("k" + i)).isEqualTo("v" + i);
        }
        a.close();
        b.close();
        cluster.stopStorage();
        delete(folder.resolve("a"));
        delete(folder.resolve("b"));
        cluster.startStorage();
        try (ComputeServer again = ComputeServer.start(cluster.config("a"))) {
            assertThat(again.storeId()).isPositive();
            assertThat(cluster.get("k40")).isEqualTo("moved");
            assertThat(cluster.get("k7")).isEqualTo("v7");
            cluster.put("k7", "after");
            assertThat(cluster.get("k7")).isEqualTo("after");
        }
    }

    @Test
    void theStoreOfTheFirstRegionCollectsUnlessToldNotTo() throws Exception {
        try (ComputeServer a = ComputeServer.start(cluster.config("a", "gc.interval", "1s"))) {
            cluster.put("k", "v");
            await("a cycle over a whole bucket")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> page(a, "/metrics").matches("(?s).*tidekv_gc_cycles [1-9].*"));
            try (ComputeServer b =
                    ComputeServer.start(cluster.config("b", "gc.enabled", "false"))) {
                assertThat(page(b, "/metrics")).doesNotContain("tidekv_gc_cycles");
            }
        }
    }

    @Test
    void aDeadlockOverTwoStoresIsFound() throws Exception {
        try (ComputeServer a = ComputeServer.start(cluster.config("a"));
                ComputeServer b = ComputeServer.start(cluster.config("b"))) {
            cluster.put("k", "0");
            long right = cluster.regions().get(0).getShape().getRegionId();
            long owner = cluster.regions().get(0).getOwner().getStoreId();
            cluster.cluster()
                    .splitRegion(
                            SplitRegionRequest.newBuilder()
                                    .setRegionId(right)
                                    .addKeys(ByteString.copyFromUtf8("k"))
                                    .setTimeoutMs(15_000)
                                    .build());
            cluster.cluster()
                    .moveRegion(
                            MoveRegionRequest.newBuilder()
                                    .setRegionId(right)
                                    .setTargetStoreId(
                                            owner == a.storeId() ? b.storeId() : a.storeId())
                                    .setTimeoutMs(15_000)
                                    .build());
            assertThat(cluster.lock(10, "a").getErrorsCount()).isZero();
            assertThat(cluster.lock(20, "z").getErrorsCount()).isZero();
            CompletableFuture<PessimisticLockResponse> ten =
                    CompletableFuture.supplyAsync(() -> cluster.lock(10, "z"));
            CompletableFuture<PessimisticLockResponse> twenty =
                    CompletableFuture.supplyAsync(() -> cluster.lock(20, "a"));
            PessimisticLockResponse told =
                    (PessimisticLockResponse) CompletableFuture.anyOf(ten, twenty).join();
            assertThat(told.getErrors(0).getDeadlock().getWaitChainCount()).isEqualTo(2);
            // The one gives way, so that the other ends.
            if (told.getErrors(0).getDeadlock().getWaitChain(1).getTxn() == 10) {
                cluster.unlock(10, "a");
            } else {
                cluster.unlock(20, "z");
            }
            CompletableFuture.allOf(ten, twenty).join();
        }
    }

    @Test
    void aRegionThatComesBackIsServedAgain() throws Exception {
        try (ComputeServer a = ComputeServer.start(cluster.config("a"));
                ComputeServer b = ComputeServer.start(cluster.config("b"))) {
            cluster.put("k", "0");
            long region = cluster.regions().get(0).getShape().getRegionId();
            long owner = cluster.regions().get(0).getOwner().getStoreId();
            for (int i = 1; i <= 4; i++) {
                long target = owner == a.storeId() ? b.storeId() : a.storeId();
                MoveRegionResponse moved =
                        cluster.cluster()
                                .moveRegion(
                                        MoveRegionRequest.newBuilder()
                                                .setRegionId(region)
                                                .setTargetStoreId(target)
                                                .setTimeoutMs(30_000)
                                                .build());
                System.out.println("move " + i + ": gap of " + moved.getGapMs() + " ms");
                assertThat(cluster.get("k")).isEqualTo(String.valueOf(i - 1));
                cluster.put("k", String.valueOf(i));
                owner = target;
            }
            assertThat(cluster.get("k")).isEqualTo("4");
        }
    }

    @Test
    void aSecondProcessDoesNotDisturbTheFirst() throws Exception {
        try (ComputeServer first = ComputeServer.start(cluster.config("a"))) {
            cluster.put("k", "v");
            assertThatThrownBy(() -> ComputeServer.start(cluster.config("a")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("data-dir");
            assertThatThrownBy(
                            () -> ComputeServer.start(cluster.config("b", "addr", first.address())))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("addr");
            assertThat(cluster.get("k")).isEqualTo("v");
            assertThat(first.ended()).isNotDone();
        }
    }

    @Test
    void aReplacedProcessEndsByItself() throws Exception {
        ComputeServer first =
                ComputeServer.start(cluster.config("a", "advertise-addr", "127.0.0.1:20160"));
        try (ComputeServer second =
                ComputeServer.start(cluster.config("b", "advertise-addr", "127.0.0.1:20160"))) {
            assertThat(second.storeId()).isEqualTo(first.storeId());
            await().atMost(ServerCluster.PATIENCE).until(() -> first.ended().isDone());
            assertThat(first.ended().get()).contains("place");
            first.close();
        }
    }

    @Test
    void aStartThatCannotSucceedSaysWhatToDo() {
        assertThatThrownBy(
                        () ->
                                ComputeServer.start(
                                        cluster.config("a", "object-store", "ftp://nowhere")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("file:DIR");
        assertThatThrownBy(
                        () ->
                                ComputeServer.start(
                                        cluster.config("a", "storage.enable-ttl", "true")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("RegisterStore");
        assertThatThrownBy(() -> cluster.config("a", "storage.api-version", "3"))
                .hasMessageContaining("storage.api-version");
        assertThat(Settings.template(ComputeConfig.class)).contains("region-split-size");
    }

    private static String page(ComputeServer server, String path) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + server.statusAddress() + path))
                        .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static void delete(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
