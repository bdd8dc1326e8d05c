package io.tidekv.common.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Money moves between accounts and never appears or disappears, whenever one looks. */
public final class BankChecker {
    private final Set<String> accounts;
    private final long total;
    private final boolean mayOwe;

    /**
     * @param mayOwe whether a balance may be negative
     */
    public BankChecker(Set<String> accounts, long total, boolean mayOwe) {
        this.accounts = Set.copyOf(accounts);
        this.total = total;
        this.mayOwe = mayOwe;
    }

    /** What is wrong with balances that one transaction read; empty when nothing is. */
    public List<String> check(List<Map<String, Long>> reads) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < reads.size(); i++) {
            Map<String, Long> balances = reads.get(i);
            long sum = 0;
            for (Map.Entry<String, Long> each : balances.entrySet()) {
                if (!accounts.contains(each.getKey())) {
                    found.add("read " + i + " has an account that does not exist");
                }
                if (each.getValue() < 0 && !mayOwe) {
                    found.add("read " + i + " has a negative balance");
                }
                sum += each.getValue();
            }
            if (!balances.keySet().containsAll(accounts)) {
                found.add("read " + i + " lacks an account");
            } else if (sum != total) {
                found.add("read " + i + " adds up to " + sum + ", not to " + total);
            }
        }
        return found;
    }
}
