package io.tidekv.common.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges histories of appends and reads by their dependencies, after Adya and Elle: the elements of
 * a list tell in which order its writers came, so every cycle of dependencies is proof of an
 * anomaly. Real time counts: what had ended before another began precedes it.
 */
public final class ListAppendChecker {
    /** What the store promises. */
    public enum Level {
        /** No anomaly but write skew. */
        SNAPSHOT,
        /** None at all. */
        SERIALIZABLE
    }

    private final List<ListTxn> txns;
    private final Level level;
    private final List<String> found = new ArrayList<>();
    private final Map<Element, ListTxn> writers = new HashMap<>();
    private final Map<String, List<Integer>> orders = new HashMap<>();
    private final Dependencies graph = new Dependencies();

    private record Element(String key, int value) {}

    private ListAppendChecker(List<ListTxn> txns, Level level) {
        this.txns = txns;
        this.level = level;
    }

    /** What is wrong, one sentence for each; empty when nothing is. */
    public static List<String> check(List<ListTxn> txns, Level level) {
        ListAppendChecker checker = new ListAppendChecker(txns, level);
        checker.collectWriters();
        txns.stream().filter(txn -> txn.fate() != Fate.ABORTED).forEach(checker::checkReads);
        if (checker.found.isEmpty()) {
            checker.buildGraph();
            checker.findCycles();
        }
        return checker.found;
    }

    private void collectWriters() {
        for (ListTxn txn : txns) {
            for (ListTxn.Op op : txn.ops()) {
                Integer append = op.append();
                if (append != null
                        && writers.putIfAbsent(new Element(op.key(), append), txn) != null) {
                    found.add(append + " was appended twice to " + op.key());
                }
            }
        }
    }

    private void checkReads(ListTxn txn) {
        Map<String, List<Integer>> own = new HashMap<>();
        Map<String, List<Integer>> base = new HashMap<>();
        for (ListTxn.Op op : txn.ops()) {
            Integer append = op.append();
            if (append != null) {
                own.computeIfAbsent(op.key(), key -> new ArrayList<>()).add(append);
                continue;
            }
            List<Integer> mine = own.getOrDefault(op.key(), List.of());
            int others = op.seen().size() - mine.size();
            if (others < 0 || !op.seen().subList(others, op.seen().size()).equals(mine)) {
                found.add(txn.id() + " does not read its own appends to " + op.key());
                continue;
            }
            List<Integer> seen = op.seen().subList(0, others);
            List<Integer> before = base.putIfAbsent(op.key(), seen);
            if (before != null && !before.equals(seen)) {
                found.add(txn.id() + " reads " + op.key() + " twice and differently");
            }
            checkRead(txn, op.key(), seen);
        }
    }

    private void checkRead(ListTxn txn, String key, List<Integer> seen) {
        if (new HashSet<>(seen).size() != seen.size()) {
            found.add(txn.id() + " reads an element of " + key + " twice");
        }
        for (int element : seen) {
            ListTxn writer = writers.get(new Element(key, element));
            if (writer == null) {
                found.add(txn.id() + " reads " + element + " in " + key + ": nobody appended it");
            } else if (writer.fate() == Fate.ABORTED) {
                found.add("G1a: " + txn.id() + " reads what " + writer.id() + " gave up");
            } else if (writer.id() == txn.id()) {
                found.add(txn.id() + " reads its own append before it made it");
            } else if (!seen.containsAll(appends(writer, key))) {
                found.add("G1b: " + txn.id() + " reads a part of " + writer.id());
            }
        }
        List<Integer> order = orders.getOrDefault(key, List.of());
        List<Integer> longer = order.size() >= seen.size() ? order : seen;
        List<Integer> shorter = order.size() >= seen.size() ? seen : order;
        if (!longer.subList(0, shorter.size()).equals(shorter)) {
            found.add(txn.id() + " reads " + key + " in another order than others");
        } else {
            orders.put(key, longer);
        }
    }

    private static List<Integer> appends(ListTxn txn, String key) {
        List<Integer> all = new ArrayList<>();
        for (ListTxn.Op op : txn.ops()) {
            Integer append = op.append();
            if (append != null && op.key().equals(key)) {
                all.add(append);
            }
        }
        return all;
    }

    private void buildGraph() {
        orders.forEach(
                (key, order) -> {
                    for (int i = 1; i < order.size(); i++) {
                        graph.add(writer(key, order, i - 1), writer(key, order, i), Edge.WW);
                    }
                });
        for (ListTxn txn : txns) {
            if (txn.fate() != Fate.ABORTED) {
                addReads(txn);
            }
        }
        for (ListTxn first : txns) {
            for (ListTxn second : txns) {
                if (first.fate() == Fate.COMMITTED
                        && second.fate() != Fate.ABORTED
                        && first.ended() < second.began()) {
                    graph.add(first.id(), second.id(), Edge.REAL_TIME);
                }
            }
        }
    }

    private void addReads(ListTxn txn) {
        Set<String> appended = new HashSet<>();
        for (ListTxn.Op op : txn.ops()) {
            if (op.append() != null) {
                appended.add(op.key());
                continue;
            }
            if (appended.contains(op.key())) {
                continue;
            }
            List<Integer> order = orders.getOrDefault(op.key(), List.of());
            int size = op.seen().size();
            if (size > 0) {
                graph.add(writer(op.key(), order, size - 1), txn.id(), Edge.WR);
            }
            if (size < order.size()) {
                graph.add(txn.id(), writer(op.key(), order, size), Edge.RW);
            }
            checkLost(txn, op, order);
        }
    }

    /** An acknowledged append that nobody ever saw comes after all that was seen. */
    private void checkLost(ListTxn txn, ListTxn.Op op, List<Integer> order) {
        writers.forEach(
                (element, writer) -> {
                    if (element.key.equals(op.key())
                            && writer.fate() == Fate.COMMITTED
                            && writer.id() != txn.id()
                            && !order.contains(element.value)) {
                        graph.add(txn.id(), writer.id(), Edge.RW);
                    }
                });
    }

    private long writer(String key, List<Integer> order, int index) {
        ListTxn writer = writers.get(new Element(key, order.get(index)));
        if (writer == null) {
            throw new IllegalStateException("an element without a writer was let through");
        }
        return writer.id();
    }

    private void findCycles() {
        report("G0", graph.cycle(Set.of(Edge.WW), null));
        report("G1c", graph.cycle(Set.of(Edge.WW, Edge.WR), null));
        Set<Edge> forward = Set.of(Edge.WW, Edge.WR, Edge.REAL_TIME);
        report("real time", graph.cycle(forward, null));
        report("G-single", graph.cycle(forward, Edge.RW));
        if (level == Level.SERIALIZABLE && found.isEmpty()) {
            report("G2", graph.cycle(Set.of(Edge.values()), null));
        }
    }

    private void report(String name, @Nullable String cycle) {
        if (cycle != null) {
            found.add(name + ": " + cycle);
        }
    }

    /** Why one transaction precedes another. */
    enum Edge {
        WW,
        WR,
        RW,
        REAL_TIME
    }
}
