package io.tidekv.it.storm;

import io.tidekv.common.history.Fate;
import io.tidekv.common.history.ListTxn;
import io.tidekv.common.history.SeenTxn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Transactions that read a few lists and append to some of them. */
final class Lists {
    private static final int KEYS = 6;

    private final Transactions transactions;
    private final AtomicInteger elements = new AtomicInteger();
    private final List<ListTxn> lists = new ArrayList<>();
    private final List<SeenTxn> values = new ArrayList<>();
    private volatile Throwable lastTrouble;

    Lists(Transactions transactions) {
        this.transactions = transactions;
    }

    static String key(int n) {
        return "list-" + n;
    }

    /** One client, until the storm is over. */
    void run(Random random, Pace pace) {
        while (pace.pass(random.nextInt(20))) {
            Set<String> keys = new LinkedHashSet<>();
            for (int i = 1 + random.nextInt(3); i > 0; i--) {
                keys.add(key(random.nextInt(KEYS)));
            }
            int appends = random.nextInt(keys.size() + 1);
            if (!transact(List.copyOf(keys), appends)) {
                pace.pass(20 + random.nextInt(80));
            }
        }
    }

    /** Reads all lists in one transaction, when nothing is hurt any more. */
    void readAll() {
        List<String> all = java.util.stream.IntStream.range(0, KEYS).mapToObj(Lists::key).toList();
        for (int tries = 0; !transact(all, 0); tries++) {
            if (tries == 300) {
                throw new AssertionError("the lists cannot be read after the storm", lastTrouble);
            }
            new Pace().pass(100);
        }
    }

    private boolean transact(List<String> keys, int appends) {
        long began = System.nanoTime();
        List<ListTxn.Op> ops = new ArrayList<>();
        List<SeenTxn.Read> reads = new ArrayList<>();
        Map<String, String> writes = new LinkedHashMap<>();
        long start = 0;
        long commitTs = 0;
        Fate fate;
        try {
            start = transactions.timestamp();
            Map<String, String> seen = transactions.read(keys, start);
            for (String key : keys) {
                ops.add(ListTxn.Op.read(key, elements(seen.get(key))));
                reads.add(new SeenTxn.Read(key, seen.get(key), start));
            }
            for (String key : keys.subList(0, appends)) {
                int element = elements.incrementAndGet();
                ops.add(ListTxn.Op.append(key, element));
                String before = seen.get(key);
                writes.put(key, before == null ? "" + element : before + "," + element);
            }
            commitTs = writes.isEmpty() ? 0 : transactions.commit(writes, start);
            fate = Fate.COMMITTED;
        } catch (Transactions.Aborted e) {
            lastTrouble = e;
            fate = Fate.ABORTED;
        } catch (Transactions.Unknown e) {
            lastTrouble = e;
            fate = Fate.UNKNOWN;
        }
        if (start == 0 || reads.isEmpty()) {
            return false;
        }
        add(fate, began, start, commitTs, ops, reads, writes);
        return fate == Fate.COMMITTED;
    }

    private synchronized void add(
            Fate fate,
            long began,
            long start,
            long commitTs,
            List<ListTxn.Op> ops,
            List<SeenTxn.Read> reads,
            Map<String, String> writes) {
        long id = lists.size() + 1;
        long ended = System.nanoTime();
        lists.add(new ListTxn(id, fate, began, ended, ops));
        values.add(new SeenTxn(id, fate, start, Map.of(), commitTs, began, ended, reads, writes));
    }

    private static List<Integer> elements(String value) {
        return value == null
                ? List.of()
                : Arrays.stream(value.split(",", -1)).map(Integer::valueOf).toList();
    }

    synchronized List<ListTxn> lists() {
        return List.copyOf(lists);
    }

    synchronized List<SeenTxn> values() {
        return List.copyOf(values);
    }

    /** What is printed of a run. */
    synchronized String row() {
        return String.format(
                Locale.ROOT,
                "%d committed, %d aborted, %d unknown",
                count(Fate.COMMITTED),
                count(Fate.ABORTED),
                count(Fate.UNKNOWN));
    }

    private long count(Fate fate) {
        return lists.stream().filter(txn -> txn.fate() == fate).count();
    }
}
