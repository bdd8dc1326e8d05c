package io.tidekv.sim.txn;

import io.tidekv.common.history.BankChecker;
import io.tidekv.common.history.Fate;
import io.tidekv.common.history.ListAppendChecker;
import io.tidekv.common.history.ListAppendChecker.Level;
import io.tidekv.common.history.ListTxn;
import io.tidekv.common.history.SeenTxn;
import io.tidekv.common.history.SnapshotChecker;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges a run: what clients were told against what is stored in the end, and what they saw against
 * snapshot isolation and the invariant of the workload.
 */
final class Verdicts {
    private final Workload workload;
    private final List<SeenTxn> told;
    private final Map<String, Map<Long, Stored>> stored;
    private final List<String> found = new ArrayList<>();

    /** A committed write as it lies in the store. */
    record Stored(long commitTs, long startTs, String value) {}

    /**
     * @param stored by key and start timestamp
     */
    Verdicts(Workload workload, List<SeenTxn> told, Map<String, Map<Long, Stored>> stored) {
        this.workload = workload;
        this.told = told;
        this.stored = stored;
    }

    List<String> judge() {
        List<SeenTxn> settled = new ArrayList<>();
        told.forEach(txn -> settled.add(settle(txn)));
        found.addAll(SnapshotChecker.check(settled));
        if (workload == Workload.BANK) {
            found.addAll(bank(settled));
        } else if (workload == Workload.LISTS) {
            found.addAll(ListAppendChecker.check(lists(settled), Level.SNAPSHOT));
        }
        return found;
    }

    /**
     * A transaction with the outcome that the store holds; complains when it is not what was told.
     */
    private SeenTxn settle(SeenTxn txn) {
        Set<Long> commits = new LinkedHashSet<>();
        for (Map.Entry<String, String> write : txn.writes().entrySet()) {
            Stored at = stored.getOrDefault(write.getKey(), Map.of()).get(txn.startTs());
            commits.add(at == null ? 0 : at.commitTs());
            if (at != null && !at.value().equals(write.getValue())) {
                found.add("transaction " + txn.id() + " is stored with another value");
            }
        }
        if (commits.size() > 1) {
            found.add("transaction " + txn.id() + " is stored in part: " + commits);
        }
        long commitTs = commits.isEmpty() ? 0 : commits.iterator().next();
        boolean writes = !txn.writes().isEmpty();
        if (txn.fate() == Fate.COMMITTED && writes && commitTs != txn.commitTs()) {
            found.add("transaction " + txn.id() + " was told another commit than is stored");
        }
        if (txn.fate() == Fate.ABORTED && commitTs != 0) {
            found.add("transaction " + txn.id() + " was told to have failed and is stored");
        }
        Fate fate = txn.fate() == Fate.UNKNOWN && commitTs == 0 ? Fate.ABORTED : txn.fate();
        return new SeenTxn(
                txn.id(),
                fate,
                txn.startTs(),
                txn.lockedAt(),
                commitTs,
                txn.began(),
                txn.ended(),
                txn.reads(),
                txn.writes());
    }

    private static List<String> bank(List<SeenTxn> txns) {
        Set<String> accounts = new LinkedHashSet<>();
        for (int i = 0; i < TxnKeysIn.COUNT; i++) {
            accounts.add("k" + i);
        }
        List<Map<String, Long>> looks = new ArrayList<>();
        for (SeenTxn txn : txns) {
            if (txn.writes().isEmpty() && txn.reads().size() == TxnKeysIn.COUNT) {
                Map<String, Long> balances = new LinkedHashMap<>();
                txn.reads().forEach(read -> balances.put(read.key(), balance(read.value())));
                looks.add(balances);
            }
        }
        return new BankChecker(accounts, TxnKeysIn.COUNT * Workload.DEPOSIT, true).check(looks);
    }

    private static long balance(@Nullable String value) {
        String bare = Workload.bare(value);
        return bare == null ? 0 : Long.parseLong(bare);
    }

    private static List<ListTxn> lists(List<SeenTxn> txns) {
        List<ListTxn> all = new ArrayList<>();
        for (SeenTxn txn : txns) {
            List<ListTxn.Op> ops = new ArrayList<>();
            for (SeenTxn.Read read : txn.reads()) {
                ops.add(ListTxn.Op.read(read.key(), elements(read.value())));
                if (txn.writes().containsKey(read.key())) {
                    ops.add(ListTxn.Op.append(read.key(), (int) txn.id()));
                }
            }
            all.add(new ListTxn(txn.id(), txn.fate(), txn.began(), txn.ended(), ops));
        }
        return all;
    }

    private static List<Integer> elements(@Nullable String value) {
        List<Integer> elements = new ArrayList<>();
        String bare = Workload.bare(value);
        if (bare != null) {
            for (String element : bare.split(",")) {
                elements.add(Integer.parseInt(element));
            }
        }
        return elements;
    }
}
