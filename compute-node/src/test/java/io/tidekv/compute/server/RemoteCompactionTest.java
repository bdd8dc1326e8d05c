package io.tidekv.compute.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.config.Settings;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.compaction.CompactionWorker;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.worker.WorkerConfig;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store and a worker with an encrypted bucket, over the wire. */
class RemoteCompactionTest {
    private static final int ROWS = 24;
    private static final String VALUE = "v".repeat(3000);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir private Path folder;
    private final ThreadScheduler timers = new ThreadScheduler("test");
    private final Metrics metrics = new Metrics();
    private ServerCluster cluster;
    private String bucket;

    @BeforeEach
    void start() throws Exception {
        cluster = new ServerCluster(folder);
        Path key = folder.resolve("master.key");
        Files.writeString(key, "0123456789abcdef".repeat(4));
        bucket = "file:" + folder.resolve("objects") + "?master-key-file=" + key;
    }

    @AfterEach
    void stop() {
        cluster.close();
        timers.close();
    }

    private CompactionWorker worker(ObjectStore store, String folderName) {
        WorkerConfig config =
                Settings.load(
                        WorkerConfig.class,
                        null,
                        Map.of(
                                "gc.pd", cluster.pdAddress(),
                                "object-store", bucket,
                                "compaction.folder", folder.resolve(folderName).toString()));
        assertThat(config.compacts()).isTrue();
        return CompactionWorker.start(store, config, timers, StoreContext.system(), metrics);
    }

    private static String metrics(ComputeServer server) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + server.statusAddress() + "/metrics"))
                        .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Test
    void aWorkerCompactsForAStoreAndAllRowsStay() throws Exception {
        Map<String, String> rows = new TreeMap<>();
        try (ObjectStore store = ObjectStores.open(bucket, StoreContext.system());
                ComputeServer server =
                        ComputeServer.start(
                                cluster.config(
                                        "a",
                                        "object-store",
                                        bucket,
                                        "region.publish-size",
                                        "16KB",
                                        "compaction.remote-from",
                                        "0B"))) {
            try (CompactionWorker worker = worker(store, "worker")) {
                await().atMost(PATIENCE)
                        .until(
                                () -> {
                                    write(rows);
                                    return metrics(server)
                                            .matches("(?s).*\\{state=\"adopted\"} [1-9].*");
                                });
                assertThat(worker).isNotNull();
            }
            assertThat(metrics.expose()).contains("{outcome=\"done\"}");
            verify(rows);
            write(rows);
            verify(rows);
        }
        try (ComputeServer again =
                ComputeServer.start(cluster.config("b", "object-store", bucket))) {
            assertThat(again.storeId()).isPositive();
            verify(rows);
        }
        assertThat(folder.resolve("worker")).as("the worker's folder").doesNotExist();
    }

    private void write(Map<String, String> rows) {
        int round = rows.size();
        for (int i = 0; i < ROWS; i++) {
            String key = "k" + (i % 2 == 0 ? i : round + i);
            String value = round + VALUE;
            cluster.put(key, value);
            rows.put(key, value);
        }
    }

    private void verify(Map<String, String> rows) {
        rows.forEach((key, value) -> assertThat(cluster.get(key)).as(key).isEqualTo(value));
    }
}
