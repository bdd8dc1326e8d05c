package io.tidekv.wal.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidekv.common.config.ConfigException;
import io.tidekv.common.config.Settings;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole nodes that archive to a folder. */
class ArchiveServerTest {
    private static final long CLUSTER = 77;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

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

    private WalConfig config(String name, String store) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("addr", "127.0.0.1:0");
        settings.put("status-addr", "127.0.0.1:0");
        settings.put("pd-endpoints", "http://127.0.0.1:" + pd.port());
        settings.put("data-dir", folder.resolve(name).toString());
        settings.put("storage.reserved-space", "0B");
        settings.put("archive.enabled", "true");
        settings.put("archive.store", store);
        settings.put("archive.interval", "1s");
        return Settings.load(WalConfig.class, null, settings);
    }

    private WalServer node(String name, String store) throws Exception {
        WalServer server = WalServer.start(config(name, store));
        opened.add(server);
        assertThat(server.awaitRegistered(PATIENCE)).isTrue();
        return server;
    }

    private TestLeader leader(WalServer server) {
        TestLeader leader =
                new TestLeader(CLUSTER, 1, 11, server.walId(), "127.0.0.1:" + server.port());
        opened.add(leader);
        await().atMost(PATIENCE).until(leader::isConnected);
        return leader;
    }

    private static String metrics(WalServer server) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + server.statusPort() + "/metrics");
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                .body();
    }

    private static boolean isWhole(ObjectStore cluster, long last) {
        ArchiveReader reader = ArchiveReader.open(cluster, 0);
        if (reader.logs(5).isEmpty()) {
            return false;
        }
        RegionArchive region = reader.region(5);
        return region.lastIndex() >= last && region.firstMissing(1, last) == 0;
    }

    @Test
    void aRegionIsReadFromTheArchiveWhenAllItsVotersAreGone() throws Exception {
        String store = "file:" + folder.resolve("objects");
        List<WalServer> servers = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            WalServer server = node(name, store);
            TestLeader leader = leader(server);
            leader.create(5);
            leader.open(5, 1);
            for (long prev = 0; prev < 40; prev++) {
                assertThat(leader.append(5, 1, prev, prev).hasAppend()).isTrue();
            }
            servers.add(server);
        }
        try (ObjectStore objects = ObjectStores.open(store)) {
            ObjectStore cluster = ArchiveNames.ofCluster(objects, CLUSTER);
            await().atMost(PATIENCE).until(() -> isWhole(cluster, 39));
            await().atMost(PATIENCE)
                    .until(
                            () ->
                                    metrics(servers.get(0))
                                            .contains("tidekv_wal_archive_lag_bytes 0.0"));
            assertThat(ArchiveReader.open(cluster, 0).parts()).isNotEmpty();
            for (WalServer server : servers) {
                server.close();
            }
            for (String name : List.of("a", "b", "c")) {
                try (Stream<Path> files = Files.walk(folder.resolve(name))) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
            List<Long> indexes = new ArrayList<>();
            ArchiveReader.open(cluster, 0)
                    .region(5)
                    .read(
                            1,
                            39,
                            each -> {
                                assertThat(each.entry().getData().size()).isEqualTo(100);
                                assertThat(each.writtenMillis()).isPositive();
                                indexes.add(each.entry().getIndex());
                            });
            assertThat(indexes).hasSize(39);
        }
    }

    @Test
    void theLogGoesOnWhileTheStoreIsAway() throws Exception {
        Path objects = folder.resolve("objects");
        WalServer server = node("a", "file:" + objects);
        try (Stream<Path> files = Files.walk(objects)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
        Files.writeString(objects, "in the way");
        TestLeader leader = leader(server);
        leader.create(5);
        leader.open(5, 1);
        long[] prev = {0};
        await().atMost(PATIENCE)
                .until(
                        () -> {
                            assertThat(leader.append(5, 1, prev[0], prev[0]).hasAppend()).isTrue();
                            prev[0]++;
                            return !metrics(server)
                                    .contains("tidekv_wal_archive_failures_total 0.0");
                        });
        assertThat(metrics(server)).doesNotContain("tidekv_wal_archive_lag_bytes 0.0");
        Files.delete(objects);
        try (ObjectStore store = ObjectStores.open("file:" + objects)) {
            ObjectStore cluster = ArchiveNames.ofCluster(store, CLUSTER);
            await().atMost(PATIENCE).until(() -> isWhole(cluster, prev[0] - 1));
        }
    }

    @Test
    void settingsThatCannotBeMeantAreExplained() {
        assertThatThrownBy(() -> WalServer.start(config("a", "ftp://somewhere")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("archive.store")
                .hasMessageContaining("s3://");
        assertThatThrownBy(() -> config("a", ""))
                .hasMessageContaining("archive.enabled needs archive.store");
    }
}
