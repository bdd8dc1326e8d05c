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
 * Registers, lists and accounts under faults; nothing that clients saw may contradict the promises
 * of the store. {@code -Dstorm.runs=10 -Dstorm.seconds=60 -Dstorm.namespaces=true -Dstorm.seed=1
 * -Dstorm.pd=3}; with namespaces (root on Linux) also faults of the network and a full disk.
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

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @Test
    void nothingSeenContradictsThePromises() throws Exception {
        for (int run = 0; run < RUNS; run++) {
            Path data = Files.createDirectories(folder.resolve("run-" + run));
            try (Net net = NAMESPACES ? new Namespaces(roles()) : Net.loopback();
                    SmallDisk disk = SmallDisk.mount(data.resolve("wal-" + WAL), NAMESPACES);
                    Cluster cluster = new Cluster(net, data, PD, WAL, COMPUTE)) {
                storm(data, cluster, disk.isMounted(), SEED + run);
            }
        }
    }

    private static List<String> roles() {
        List<String> roles = new ArrayList<>(Cluster.roles("pd", PD));
        roles.addAll(Cluster.roles("wal", WAL));
        roles.addAll(Cluster.roles("compute", COMPUTE));
        return roles;
    }

    private static void storm(Path data, Cluster cluster, boolean smallDisk, long seed)
            throws Exception {
        System.out.println("-Dstorm.seed=" + seed);
        Random random = new Random(seed);
        cluster.start();
        Registers registers = new Registers(cluster);
        Faults faults = new Faults(cluster, new Random(random.nextLong()), smallDisk);
        Churn churn = new Churn(cluster, new Random(random.nextLong()), splitKeys());
        try (Transactions transactions = new Transactions(cluster)) {
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
                crew.start(() -> churn.run(pace));
                crew.start(() -> faults.run(pace));
                crew.await(SECONDS);
            }
            cluster.awaitServing();
            registers.readAll();
            lists.readAll();
            bank.countAtLast();
            System.out.printf(
                    "| %d | %s | %d moves, %d splits | registers: %s | lists: %s | accounts: %d"
                            + " counts |%n",
                    seed,
                    faults.done(),
                    churn.moves(),
                    churn.splits(),
                    registers.row(),
                    lists.row(),
                    bank.counts().size());
            judge(data, registers, lists, bank);
        }
    }

    /** What clients saw is kept beside the logs when a judge objects. */
    private static void judge(Path data, Registers registers, Lists lists, Bank bank)
            throws IOException {
        assertThat(registers.history().size()).as("operations on registers").isGreaterThan(50);
        assertThat(lists.lists().size()).as("transactions").isGreaterThan(5);
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
                encoded(Lists.key(0)));
    }

    private static ByteString encoded(String key) {
        return ByteString.copyFrom(Memcomparable.encode(key.getBytes(StandardCharsets.UTF_8)));
    }
}
