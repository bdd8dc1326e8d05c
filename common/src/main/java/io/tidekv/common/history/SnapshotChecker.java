package io.tidekv.common.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Snapshot isolation by timestamps: each transaction reads the newest commits at or below its start
 * timestamp, no two that write the same key overlap, nothing of an aborted transaction is ever
 * seen, and what was acknowledged before a transaction began is visible to it.
 */
public final class SnapshotChecker {
    private final List<SeenTxn> txns;
    private final List<String> found = new ArrayList<>();
    private final Map<String, SeenTxn> writers = new HashMap<>();
    private final Map<String, TreeMap<Long, SeenTxn>> versions = new HashMap<>();

    private SnapshotChecker(List<SeenTxn> txns) {
        this.txns = txns;
    }

    /** What is wrong, one sentence for each; empty when nothing is. */
    public static List<String> check(List<SeenTxn> txns) {
        SnapshotChecker checker = new SnapshotChecker(txns);
        checker.collect();
        txns.forEach(checker::checkReads);
        checker.checkOverlaps();
        checker.checkOrder();
        return checker.found;
    }

    private void collect() {
        Set<Long> ids = new HashSet<>();
        Set<Long> starts = new HashSet<>();
        for (SeenTxn txn : txns) {
            if (!ids.add(txn.id())) {
                report("the id of %d occurs twice", txn);
            }
            if (!starts.add(txn.startTs())) {
                report("the start timestamp of %d was given out twice", txn);
            }
            if (txn.commitTs() != 0 && Long.compareUnsigned(txn.commitTs(), txn.startTs()) <= 0) {
                report("%d commits at or below its start", txn);
            }
            if (txn.fate() == Fate.COMMITTED && txn.commitTs() == 0 && !txn.writes().isEmpty()) {
                report("%d has committed without a timestamp", txn);
            }
            txn.writes().forEach((key, value) -> collect(txn, key, value));
        }
    }

    private void collect(SeenTxn txn, String key, String value) {
        if (writers.putIfAbsent(name(key, value), txn) != null) {
            report("%d writes a value of another transaction", txn);
        }
        if (txn.fate() != Fate.ABORTED && txn.commitTs() != 0) {
            SeenTxn other =
                    versions.computeIfAbsent(key, each -> new TreeMap<>(Long::compareUnsigned))
                            .putIfAbsent(txn.commitTs(), txn);
            if (other != null) {
                report("%d commits " + key + " at the timestamp of " + other.id(), txn);
            }
        }
    }

    private void checkReads(SeenTxn txn) {
        Map<String, String> before = new HashMap<>();
        for (SeenTxn.Read read : txn.reads()) {
            String shown = String.valueOf(read.value());
            String earlier = before.putIfAbsent(read.key() + '@' + read.ts(), shown);
            if (earlier != null && !earlier.equals(shown)) {
                report("%d reads " + read.key() + " twice and differently", txn);
            }
            checkRead(txn, read);
        }
    }

    private void checkRead(SeenTxn txn, SeenTxn.Read read) {
        SeenTxn expected = newest(read.key(), read.ts());
        String value = read.value();
        if (value == null) {
            if (expected != null) {
                report("%d misses the write of " + read.key() + " by " + expected.id(), txn);
            }
            return;
        }
        SeenTxn writer = writers.get(name(read.key(), value));
        if (writer == null) {
            report("%d reads a value of " + read.key() + " that nobody wrote", txn);
        } else if (writer.fate() == Fate.ABORTED) {
            report("%d reads what " + writer.id() + " wrote and gave up", txn);
        } else if (writer.id() == txn.id()) {
            report("%d reads its own write as if it were committed", txn);
        } else if (writer.commitTs() == 0) {
            checkUnknown(txn, read, writer);
        } else if (Long.compareUnsigned(writer.commitTs(), read.ts()) > 0) {
            report("%d reads " + read.key() + " from above its timestamp", txn);
        } else if (expected != null && expected.id() != writer.id()) {
            report("%d reads " + read.key() + " older than the write by " + expected.id(), txn);
        }
    }

    /** Seen, so it has committed, at some timestamp up to the reader's start. */
    private void checkUnknown(SeenTxn txn, SeenTxn.Read read, SeenTxn writer) {
        if (Long.compareUnsigned(writer.startTs(), read.ts()) >= 0) {
            report("%d reads " + read.key() + " of one that began later", txn);
        }
        for (SeenTxn.Read other : txn.reads()) {
            String own = writer.writes().get(other.key());
            SeenTxn newer = newest(other.key(), other.ts());
            boolean replaced =
                    newer != null && Long.compareUnsigned(newer.commitTs(), writer.startTs()) > 0;
            boolean sameTime = other.ts() == read.ts();
            if (own != null && !own.equals(other.value()) && !replaced && sameTime) {
                report("%d sees only a part of " + writer.id(), txn);
            }
        }
    }

    private void checkOverlaps() {
        versions.forEach(
                (key, byTs) -> {
                    SeenTxn before = null;
                    for (SeenTxn txn : byTs.values()) {
                        if (before != null
                                && Long.compareUnsigned(txn.lockTs(key), before.commitTs()) < 0) {
                            report("%d overwrites " + key + " of " + before.id() + " unseen", txn);
                        }
                        before = txn;
                    }
                });
    }

    /** What had ended before a transaction began is below its start timestamp. */
    private void checkOrder() {
        List<SeenTxn> byEnd = new ArrayList<>(txns);
        byEnd.removeIf(txn -> txn.fate() == Fate.UNKNOWN);
        byEnd.sort(Comparator.comparingLong(SeenTxn::ended));
        List<SeenTxn> byBegin = new ArrayList<>(txns);
        byBegin.sort(Comparator.comparingLong(SeenTxn::began));
        SeenTxn highest = null;
        int ended = 0;
        for (SeenTxn txn : byBegin) {
            for (; ended < byEnd.size() && byEnd.get(ended).ended() < txn.began(); ended++) {
                SeenTxn done = byEnd.get(ended);
                if (highest == null || Long.compareUnsigned(last(done), last(highest)) > 0) {
                    highest = done;
                }
            }
            if (highest != null && Long.compareUnsigned(txn.startTs(), last(highest)) < 0) {
                report("%d starts below " + highest.id() + ", which had ended before", txn);
            }
        }
    }

    private static long last(SeenTxn txn) {
        return txn.fate() == Fate.COMMITTED && txn.commitTs() != 0 ? txn.commitTs() : txn.startTs();
    }

    private @Nullable SeenTxn newest(String key, long ts) {
        TreeMap<Long, SeenTxn> byTs = versions.get(key);
        Map.Entry<Long, SeenTxn> entry = byTs == null ? null : byTs.floorEntry(ts);
        return entry == null ? null : entry.getValue();
    }

    private static String name(String key, String value) {
        return key + '\0' + value;
    }

    private void report(String what, SeenTxn txn) {
        found.add(what.replace("%d", "transaction " + txn.id()));
    }
}
