package io.tidekv.it.storm;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.common.history.BankChecker;
import io.tidekv.common.history.ListAppendChecker;
import io.tidekv.common.history.RegisterChecker;
import io.tidekv.common.history.SnapshotChecker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Registers, lists and accounts under faults, with collectors of garbage at work; nothing that
 * clients saw may contradict the promises of the store, and nothing that is needed may be deleted.
 * {@code -Dstorm.s3-faults=0.05} puts a MinIO, where there is one, behind a proxy that fails that
 * share of the requests. {@code -Dstorm.runs=10 -Dstorm.seconds=60 -Dstorm.namespaces=true
 * -Dstorm.seed=1 -Dstorm.pd=3}; with namespaces (root on Linux) also faults of the network and a
 * full disk.
 */
class StormTest {
    private static final int RUNS = Integer.getInteger("storm.runs", 1);
    private static final int SECONDS = Integer.getInteger("storm.seconds", 12);
    private static final int PD = Integer.getInteger("storm.pd", 1);
    private static final long SEED = Long.getLong("storm.seed", System.nanoTime() % 1_000_000);
    private static final boolean NAMESPACES = Boolean.getBoolean("storm.namespaces");
    private static final int WAL = 3;
    private static final int COMPUTE = 3;
    private static final int REGISTER_CLIENTS = 6;
    private static final int LIST_CLIENTS = 4;
    private static final int BANK_CLIENTS = 2;
    private static final int BLOB_CLIENTS = 2;

    /** Less would say nothing. */
    private static final int OPERATIONS_MIN = 50;

    private static final int TRANSACTIONS_MIN = 5;
    private static final double S3_FAULTS =
            Double.parseDouble(System.getProperty("storm.s3-faults", "0"));

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @Test
    void nothingSeenContradictsThePromises() throws Exception {
        for (int run = 0; run < RUNS; run++) {
            Path data = Files.createDirectories(folder.resolve("run-" + run));
            try (Net net = NAMESPACES ? new Namespaces(roles()) : Net.loopback();
                    SmallDisk disk = SmallDisk.mount(data.resolve("wal-" + WAL), NAMESPACES);
                    Bucket bucket = Bucket.open(data, net.home(), S3_FAULTS, SEED + run);
                    Cluster cluster = new Cluster(net, data, bucket.uri(), PD, WAL, COMPUTE)) {
                storm(data, cluster, bucket, disk.isMounted(), SEED + run);
            }
        }
    }

    private static List<String> roles() {
        List<String> roles = new ArrayList<>(Cluster.roles("pd", PD));
        roles.addAll(Cluster.roles("wal", WAL));
        roles.addAll(Cluster.roles("compute", COMPUTE));
        return roles;
    }

    private static void storm(
            Path data, Cluster cluster, Bucket bucket, boolean smallDisk, long seed)
            throws Exception {
        System.out.println("-Dstorm.seed=" + seed);
        Random random = new Random(seed);
        cluster.start();
        Registers registers = new Registers(cluster);
        Faults faults = new Faults(cluster, new Random(random.nextLong()), smallDisk);
        Churn churn = new Churn(cluster, new Random(random.nextLong()), splitKeys());
        Blobs blobs = new Blobs(cluster);
        try (Transactions transactions = new Transactions(cluster);
                Collectors collectors = new Collectors(cluster)) {
            Lists lists = new Lists(transactions);
            Bank bank = new Bank(transactions);
            bank.open();
            Pace pace = new Pace();
            try (Crew crew = new Crew(pace)) {
                for (int i = 0; i < REGISTER_CLIENTS; i++) {
                    int client = i;
                    Random own = new Random(random.nextLong());
                    crew.start(() -> registers.run(client, own, pace));
                }
                for (int i = 0; i < LIST_CLIENTS; i++) {
                    Random own = new Random(random.nextLong());
                    crew.start(() -> lists.run(own, pace));
                }
                for (int i = 0; i < BANK_CLIENTS; i++) {
                    Random own = new Random(random.nextLong());
                    crew.start(() -> bank.run(own, pace));
                }
                for (int i = 0; i < BLOB_CLIENTS; i++) {
                    int client = i;
                    Random own = new Random(random.nextLong());
                    crew.start(() -> blobs.run(client, own, pace));
                }
                Random deaths = new Random(random.nextLong());
                crew.start(() -> collectors.run(pace));
                crew.start(() -> collectors.runAndDie(deaths, pace));
                crew.start(() -> collectors.backUp(pace));
                crew.start(() -> churn.run(pace));
                crew.start(() -> faults.run(pace));
                crew.await(
                        SECONDS,
                        () ->
                                registers.history().size() > OPERATIONS_MIN
                                        && lists.lists().size() > TRANSACTIONS_MIN);
            }
            String registersRow = registers.row();
            cluster.awaitServing();
            bucket.heal();
            String garbage = afterwards(cluster, blobs, collectors);
            registers.readAll();
            lists.readAll();
            bank.countAtLast();
            System.out.printf(
                    "| %d | %s | %d moves, %d splits, %d merges | registers: %s | lists: %s | accounts: %d"
                            + " counts | blobs: %d KB | garbage: %s |%n",
                    seed,
                    faults.done(),
                    churn.moves(),
                    churn.splits(),
                    churn.merges(),
                    registersRow,
                    lists.row(),
                    bank.counts().size(),
                    blobs.bytes() >> 10,
                    garbage);
            judge(data, registers, lists, bank);
        }
    }

    /** Nothing needed is gone, what is not needed goes, and no cache hides what is missing. */
    private static String afterwards(Cluster cluster, Blobs blobs, Collectors collectors)
            throws Exception {
        String during = collectors.row();
        collectors.scrub();
        collectors.deleteBackup();
        boolean isLong = SECONDS >= 60;
        rewrite(blobs);
        if (isLong) {
            // What was on its way to a record is told from garbage by records that come later.
            new Pace().pass(Collectors.OPTIONS.margin().toMillis() + 1000);
            rewrite(blobs);
        }
        String left = collectors.collectAll(isLong ? 15 : 2);
        for (String store : cluster.roles("compute")) {
            cluster.kill(store);
            cluster.deleteData(store);
        }
        cluster.roles("compute").forEach(cluster::start);
        cluster.awaitServing();
        blobs.verify();
        collectors.scrub();
        if (isLong) {
            assertThat(collectors.deleted())
                    .as("objects collected; %s; %s", during, left)
                    .isPositive();
            assertThat(collectors.hasFewOrphans()).as(left).isTrue();
        }
        return during + "; " + left;
    }

    private static void rewrite(Blobs blobs) {
        for (int client = 0; client < BLOB_CLIENTS; client++) {
            blobs.rewrite(client);
        }
    }

    /** What clients saw is kept beside the logs when a judge objects. */
    private static void judge(Path data, Registers registers, Lists lists, Bank bank)
            throws IOException {
        assertThat(registers.history().size())
                .as("operations on registers")
                .isGreaterThan(OPERATIONS_MIN);
        assertThat(lists.lists().size()).as("transactions").isGreaterThan(TRANSACTIONS_MIN);
        BankChecker sums = new BankChecker(Set.copyOf(Bank.accounts()), Bank.total(), false);
        List<String> found = new ArrayList<>(RegisterChecker.check(registers.history()));
        found.addAll(ListAppendChecker.check(lists.lists(), ListAppendChecker.Level.SNAPSHOT));
        found.addAll(SnapshotChecker.check(lists.values()));
        found.addAll(sums.check(bank.counts()));
        if (!found.isEmpty()) {
            List<String> seen = new ArrayList<>(found);
            lists.values().forEach(txn -> seen.add(txn.toString()));
            bank.counts().forEach(count -> seen.add(count.toString()));
            registers.history().forEach(operation -> seen.add(operation.toString()));
            Files.write(data.resolve("history.txt"), seen);
        }
        assertThat(found).as("contradictions; what clients saw is in %s", data).isEmpty();
    }

    /** In stored form, between and within what the clients use. */
    private static List<ByteString> splitKeys() {
        return List.of(
                encoded(Registers.key(3)),
                encoded(Lists.key(2)),
                encoded(Bank.account(3)),
                encoded(Lists.key(4)),
                encoded(Registers.key(6)),
                encoded("bg"),
                encoded(Lists.key(0)),
                encoded("bp"));
    }

    private static ByteString encoded(String key) {
        return ByteString.copyFrom(Memcomparable.encode(key.getBytes(StandardCharsets.UTF_8)));
    }
}
