package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.ManagedChannel;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.objects.archive.ArchiveNames;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.RegionArchive;
import io.tidekv.objects.restore.Restoration;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.region.ObjectRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tikv.common.TiSession;
import org.tikv.raw.RawKVClient;
import org.tikv.shade.com.google.protobuf.ByteString;

/**
 * All processes are killed and the disks of WAL nodes, PD and stores lost: a new cluster is made
 * from what was published and the archive of the log, though the newest objects of the bucket are
 * gone, too; one of a backup that was made while transactions went on, and a branch of that. {@code
 * -Drestore.rows=1000000} for more data.
 */
class RestoreTest {
    private static final long ROWS = Long.getLong("restore.rows", 2000);
    private static final String MIDDLE = "lineitem/8";
    private static final byte[] M = {'m'};

    private final Rows rows = new Rows(Long.getLong("seed", 7));
    private final List<Playground> started = new ArrayList<>();
    @TempDir Path folder;

    private String bucket() {
        return "file:" + folder.resolve("bucket");
    }

    @AfterEach
    void endAll() {
        started.forEach(Playground::kill);
    }

    @Test
    void aLostClusterComesBackFromItsObjects() throws Exception {
        Playground first =
                start(
                        "first",
                        "--set",
                        "wal.archive.enabled=true",
                        "--set",
                        "wal.archive.interval=1s");
        long published = System.currentTimeMillis();
        try (TiSession session = TiSession.create(Clients.raw(first));
                RawKVClient client = session.createRawClient()) {
            split(first, com.google.protobuf.ByteString.copyFromUtf8(MIDDLE));
            RowLoad load = new RowLoad(rows, client);
            load.write(0, ROWS);
            awaitPublished(first, client);
            load.write(ROWS, 2 * ROWS);
            published = System.currentTimeMillis();
            awaitPublished(first, client);
            load.write(2 * ROWS, 2 * ROWS + 500);
            awaitArchived(2 * ROWS, 2 * ROWS + 500);
        } finally {
            lose(first);
        }
        losePublishedAfter(published);

        Path plan = folder.resolve("recover.plan");
        JsonNode recovered = recover(plan, published);
        Playground second = start("second", "--restore-plan", plan.toString());
        try (TiSession session = TiSession.create(Clients.raw(second));
                RawKVClient client = session.createRawClient()) {
            RowLoad load = new RowLoad(rows, client);
            load.verify(0, 2 * ROWS + 500);
            load.write(10 * ROWS, 11 * ROWS);
            load.verify(10 * ROWS, 11 * ROWS);
            tidekv("sst-uploader", "scrub", "--object-store", bucket());
        } finally {
            lose(second);
        }
        // All rows are there. What was published when the cluster died may have been committed, and
        // not archived yet.
        assertThat(recovered.get("problems"))
                .allMatch(
                        problem ->
                                problem.asText()
                                        .matches("log of region .* are known up to .* and lost"));
    }

    @Test
    void aBackupIsOfOneMomentWhileTransactionsGoOn() throws Exception {
        Playground first = start("live");
        long[] before;
        JsonNode taken;
        try (TiSession session = TiSession.create(Clients.raw(first));
                RawKVClient client = session.createRawClient();
                Transfers transfers = new Transfers(first)) {
            split(first, com.google.protobuf.ByteString.copyFrom(Memcomparable.encode(M)));
            RowLoad load = new RowLoad(rows, client);
            load.write(0, ROWS);
            transfers.start();
            Awaitility.await("each client has moved something")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> LongStream.of(transfers.moved()).allMatch(coins -> coins > 5));
            before = transfers.moved();
            taken = new ObjectMapper().readTree(backup(first, "create", "monday", "--json"));
            assertThat(taken.get("regions").asInt()).isGreaterThanOrEqualTo(2);
            assertThat(taken.get("at").asText()).contains("T");
            load.write(ROWS, 2 * ROWS);
        } finally {
            lose(first);
        }

        Path plan = folder.resolve("backup.plan");
        JsonNode made =
                new ObjectMapper()
                        .readTree(
                                tidekv(
                                        "ctl",
                                        "backup",
                                        "restore",
                                        "monday",
                                        "--json",
                                        "--object-store",
                                        bucket(),
                                        "--plan",
                                        plan.toString()));
        assertThat(made.get("transactions_whole").asBoolean()).isTrue();
        assertThat(made.get("problems")).isEmpty();
        Playground second = start("restored", "--restore-plan", plan.toString());
        try (TiSession session = TiSession.create(Clients.raw(second));
                RawKVClient client = session.createRawClient();
                Transfers transfers = new Transfers(second)) {
            long[] restored = transfers.read();
            for (int i = 0; i < restored.length; i++) {
                assertThat(restored[i]).as("client %d", i).isGreaterThanOrEqualTo(before[i]);
            }
            new RowLoad(rows, client).verify(0, ROWS);
            for (long later : List.of(ROWS, 2 * ROWS - 1)) {
                assertThat(client.get(rows.key(later))).as("row %d of later", later).isEmpty();
            }
            tidekv("ctl", "--pd", second.pd(), "status");
            branch(second, restored, taken);
            new RowLoad(rows, client).verify(0, ROWS);
            assertThat(client.get(rows.key(ROWS))).as("a row of the branch").isEmpty();
        } finally {
            lose(second);
        }
    }

    /** A cluster beside the other one begins with the same, writes, and is deleted. */
    private void branch(Playground parent, long[] coins, JsonNode backup) throws Exception {
        Path plan = folder.resolve("branch.plan");
        List<String> from = List.of("ctl", "--pd", parent.pd(), "branch");
        tidekv(words(from, "create", "dev", "--plan", plan.toString()));
        beside(backup);
        Playground branch = start("branch", "--restore-plan", plan.toString());
        try (TiSession session = TiSession.create(Clients.raw(branch));
                RawKVClient client = session.createRawClient();
                Transfers transfers = new Transfers(branch)) {
            assertThat(transfers.read()).isEqualTo(coins);
            RowLoad load = new RowLoad(rows, client);
            load.verify(0, ROWS);
            load.write(ROWS, 2 * ROWS);
            load.verify(0, 2 * ROWS);
            tidekv("sst-uploader", "scrub", "--object-store", bucket());
            assertThat(Command.run(words(from, "delete", "dev", "--branch-pd", branch.pd())).code())
                    .as("the branch still runs")
                    .isNotZero();
        } finally {
            lose(branch);
        }
        tidekv(words(from, "delete", "dev", "--branch-pd", branch.pd()));
        tidekv(words(from, "delete", "staging"));
        try (ObjectStore store = ObjectStores.open(bucket())) {
            assertThat(Restoration.onlyCluster(store)).as("the parent alone").isNotNull();
        }
    }

    /** A cluster beside the one that made the backup, and goes on. */
    private void beside(JsonNode backup) throws IOException {
        Path plan = folder.resolve("staging.plan");
        // The store has another branch, too.
        String cluster = backup.get("cluster").asText();
        JsonNode made =
                new ObjectMapper()
                        .readTree(
                                tidekv(
                                        words(
                                                List.of("ctl", "backup", "restore", "monday"),
                                                "--to-cluster",
                                                "staging",
                                                "--cluster",
                                                cluster,
                                                "--plan",
                                                plan.toString(),
                                                "--json")));
        assertThat(made.get("cluster").asText()).isNotEqualTo(cluster);
        assertThat(Instant.ofEpochMilli(made.get("at_ms").asLong()))
                .isEqualTo(backup.get("at").asText());
        assertThat(made.get("problems")).isEmpty();
        assertThat(Files.size(plan)).isPositive();
    }

    private String[] words(List<String> first, String... more) {
        List<String> all = new ArrayList<>(first);
        all.addAll(List.of(more));
        all.addAll(List.of("--object-store", bucket()));
        return all.toArray(String[]::new);
    }

    private String backup(Playground playground, String... more) {
        return tidekv(words(List.of("ctl", "--pd", playground.pd(), "backup"), more));
    }

    /** Each region says until when it goes: at least to what is known to be published. */
    private JsonNode recover(Path plan, long publishedMillis) throws IOException {
        JsonNode recovered =
                new ObjectMapper()
                        .readTree(
                                tidekv(
                                        "ctl",
                                        "recover",
                                        "--from-object-store",
                                        // Rows of no transaction: all that there is.
                                        "--everything",
                                        "--json",
                                        "--object-store",
                                        bucket(),
                                        "--plan",
                                        plan.toString()));
        assertThat(recovered.get("regions")).hasSize(2);
        assertThat(recovered.get("empty").asInt()).isZero();
        assertThat(recovered.get("transactions_whole").asBoolean()).isFalse();
        for (JsonNode region : recovered.get("regions")) {
            assertThat(region.get("replayed_entries").asLong()).isPositive();
            assertThat(region.get("until_ms").asLong())
                    .isBetween(publishedMillis, System.currentTimeMillis());
        }
        return recovered;
    }

    /** Waits until the archive has the rows, and says that they are committed. */
    private void awaitArchived(long from, long to) {
        try (ObjectStore store = ObjectStores.open(bucket())) {
            ObjectStore cluster = ArchiveNames.ofCluster(store, Restoration.onlyCluster(store));
            Awaitility.await("the log is archived")
                    .atMost(Duration.ofSeconds(60))
                    .until(
                            () -> {
                                StringBuilder data = new StringBuilder();
                                ArchiveReader reader = ArchiveReader.open(cluster, 0);
                                for (long region : reader.regions()) {
                                    readAll(reader.region(region), data);
                                }
                                return LongStream.range(from, to)
                                        .mapToObj(row -> rows.key(row).toStringUtf8())
                                        .allMatch(key -> data.indexOf(key) >= 0);
                            });
        }
    }

    private static void readAll(RegionArchive log, StringBuilder data) {
        long first = log.firstIndex();
        log.read(
                first,
                log.lastReadable(first, Long.MAX_VALUE),
                entry ->
                        data.append(entry.entry().getData().toString(StandardCharsets.ISO_8859_1)));
    }

    /** The newest records and table files are gone: of what they had, only the log tells. */
    private void losePublishedAfter(long millis) throws IOException {
        try (Stream<Path> walk = Files.walk(folder.resolve("bucket"))) {
            for (Path path : walk.filter(Files::isRegularFile).toList()) {
                boolean published = path.toString().matches(".*/(sst|record|pack)/.*");
                if (published && Files.getLastModifiedTime(path).toMillis() > millis) {
                    Files.delete(path);
                }
            }
        }
    }

    private Playground start(String name, String... flags) {
        List<String> all = new ArrayList<>(List.of("--object-store", bucket()));
        all.addAll(List.of("--set", "compute.region.publish-interval=500ms"));
        all.addAll(List.of(flags));
        Playground playground =
                Playground.startInOneProcess(folder.resolve(name), all.toArray(String[]::new));
        started.add(playground);
        return playground;
    }

    /** Everything but the bucket is gone. */
    private static void lose(Playground playground) throws IOException {
        playground.kill();
        try (Stream<Path> walk = Files.walk(playground.dataDir())) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static void split(Playground playground, com.google.protobuf.ByteString key)
            throws Exception {
        try (Splitter splitter = new Splitter(playground, List.of(key), 0)) {
            splitter.join();
        }
    }

    /**
     * Waits until everything written so far is published. What is published next may have been
     * captured before, so the one after that is waited for, too.
     */
    private static void awaitPublished(Playground playground, RawKVClient client) {
        ManagedChannel channel = playground.channel(playground.pd());
        try {
            var cluster = Playground.cluster(channel);
            for (int round = 0; round < 2; round++) {
                List<ObjectRef> before = records(cluster);
                for (String mark : List.of("_mark", "~mark")) {
                    client.put(ByteString.copyFromUtf8(mark), ByteString.copyFromUtf8("" + round));
                }
                Awaitility.await("both regions are published")
                        .atMost(Duration.ofSeconds(60))
                        .ignoreExceptions()
                        .until(() -> allDiffer(before, records(cluster)));
            }
        } finally {
            channel.shutdownNow();
        }
    }

    private static List<ObjectRef> records(ClusterGrpc.ClusterBlockingStub cluster) {
        return Splitter.regions(cluster).stream().map(r -> r.getRoots().getRecord()).toList();
    }

    private static boolean allDiffer(List<ObjectRef> before, List<ObjectRef> now) {
        return now.size() == 2
                && before.size() == 2
                && now.stream().noneMatch(ref -> ref.getKey().isEmpty() || before.contains(ref));
    }

    private static String tidekv(String... words) {
        return Command.expect(words);
    }
}
