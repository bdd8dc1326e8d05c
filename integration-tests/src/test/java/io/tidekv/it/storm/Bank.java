package io.tidekv.it.storm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Transactions that move money between accounts, and others that count it. */
final class Bank {
    private static final int ACCOUNTS = 5;
    private static final long DEPOSIT = 100;

    private final Transactions transactions;
    private final List<Map<String, Long>> counts = new ArrayList<>();

    Bank(Transactions transactions) {
        this.transactions = transactions;
    }

    static String account(int n) {
        return "account-" + n;
    }

    static List<String> accounts() {
        return IntStream.range(0, ACCOUNTS).mapToObj(Bank::account).toList();
    }

    static long total() {
        return ACCOUNTS * DEPOSIT;
    }

    /** Makes the first deposits. */
    void open() throws Exception {
        Map<String, String> deposits = new LinkedHashMap<>();
        accounts().forEach(account -> deposits.put(account, "" + DEPOSIT));
        transactions.commit(deposits, transactions.timestamp());
    }

    /** One client, until the storm is over. */
    void run(Random random, Pace pace) {
        while (pace.pass(random.nextInt(30))) {
            try {
                if (random.nextInt(3) == 0) {
                    count();
                } else {
                    transfer(random);
                }
            } catch (Transactions.Aborted | Transactions.Unknown e) {
                pace.pass(20 + random.nextInt(80));
            }
        }
    }

    private void transfer(Random random) throws Transactions.Aborted, Transactions.Unknown {
        String from = account(random.nextInt(ACCOUNTS));
        String to = account(random.nextInt(ACCOUNTS));
        if (from.equals(to)) {
            return;
        }
        long start = transactions.timestamp();
        Map<String, String> seen = transactions.read(List.of(from, to), start);
        long has = Long.parseLong(seen.getOrDefault(from, "0"));
        long amount = 1 + random.nextInt(20);
        if (has < amount) {
            return;
        }
        Map<String, String> writes = new LinkedHashMap<>();
        writes.put(from, "" + (has - amount));
        writes.put(to, "" + (Long.parseLong(seen.getOrDefault(to, "0")) + amount));
        transactions.commit(writes, start);
    }

    /** Remembers what all accounts hold at one timestamp. */
    void count() throws Transactions.Aborted {
        Map<String, String> seen = transactions.read(accounts(), transactions.timestamp());
        Map<String, Long> balances = new HashMap<>();
        seen.forEach((account, balance) -> balances.put(account, Long.parseLong(balance)));
        synchronized (counts) {
            counts.add(balances);
        }
    }

    /** Counts when nothing is hurt any more. */
    void countAtLast() {
        for (int tries = 0; ; tries++) {
            try {
                count();
                return;
            } catch (Transactions.Aborted e) {
                if (tries == 30) {
                    throw new AssertionError("the accounts cannot be read after the storm", e);
                }
                new Pace().pass(100);
            }
        }
    }

    List<Map<String, Long>> counts() {
        synchronized (counts) {
            return List.copyOf(counts);
        }
    }
}
