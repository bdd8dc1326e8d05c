package io.tidekv.objects.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidekv.common.config.Settings;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStores;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerServerTest {
    @TempDir Path temp;

    private WorkerConfig config(String store) {
        return Settings.load(
                WorkerConfig.class,
                null,
                Map.of(
                        "object-store", store,
                        "status-addr", "127.0.0.1:0",
                        "scrub.start-delay", "0ms",
                        "scrub.interval", "10ms"));
    }

    private static String get(WorkerServer server, String path)
            throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + server.statusPort() + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Test
    void checksAgainAndAgainAndTells() throws Exception {
        String uri = "file:" + temp.resolve("objects");
        try (ObjectStore store = ObjectStores.open(uri);
                WorkerServer server = WorkerServer.start(config(uri))) {
            Awaitility.await().until(() -> server.lastReport().finishedMillis() > 0);
            assertThat(get(server, "/health")).contains("ok");
            store.putIfAbsent("7/record/5/damaged", new byte[10]);
            Awaitility.await().until(() -> server.lastReport().damagedRecords() == 1);
            assertThat(get(server, "/status")).contains("record/5/damaged", "\"regionId\" : 5");
            assertThat(get(server, "/metrics")).contains("tidekv_scrub_damaged_records 1.0");
            assertThat(get(server, "/health")).contains("1 regions");
            assertThat(get(server, "/config")).contains("read-rate = \"32MB\"");
        }
    }

    @Test
    void refusesAWrongUri() {
        assertThatThrownBy(() -> WorkerServer.start(config("ftp://x")))
                .isInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("use file:DIR");
    }
}
