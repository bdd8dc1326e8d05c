package io.tidekv.compute.deadlock;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which transactions wait for which. A wait that would close a circle is not entered, so the graph
 * never has one. Bounded: beyond {@code edgesMax} waits nothing more is entered, and a circle among
 * those ends with a timeout. One thread at a time.
 */
public final class DeadlockGraph {
    /**
     * One transaction waits for another.
     *
     * @param key what it wants
     * @param tag the client's resource group tag, for people who look into deadlocks
     */
    public record Wait(long waiter, long holder, ByteString key, ByteString tag) {}

    private final int edgesMax;
    private final Map<Long, List<Wait>> waits = new LinkedHashMap<>();
    private int edges;

    public DeadlockGraph(int edgesMax) {
        this.edgesMax = edgesMax;
    }

    /**
     * Enters a wait.
     *
     * @return empty when it was entered; otherwise the circle that it would close, from the holder
     *     on, the new wait last
     */
    public List<Wait> enter(Wait wait) {
        List<Wait> path = path(wait.holder(), wait.waiter());
        if (!path.isEmpty() || wait.holder() == wait.waiter()) {
            List<Wait> circle = new ArrayList<>(path);
            circle.add(wait);
            return circle;
        }
        if (edges < edgesMax) {
            waits.computeIfAbsent(wait.waiter(), each -> new ArrayList<>(2)).add(wait);
            edges++;
        }
        return List.of();
    }

    /** Ends one wait; unknown ones are passed over. */
    public void leave(Wait wait) {
        List<Wait> own = waits.get(wait.waiter());
        if (own != null && own.remove(wait)) {
            edges--;
            if (own.isEmpty()) {
                waits.remove(wait.waiter());
            }
        }
    }

    /** Ends all waits that are not among {@code alive}. */
    public void retain(Set<Wait> alive) {
        Iterator<List<Wait>> each = waits.values().iterator();
        while (each.hasNext()) {
            List<Wait> own = each.next();
            edges -= own.size();
            own.retainAll(alive);
            edges += own.size();
            if (own.isEmpty()) {
                each.remove();
            }
        }
    }

    public int size() {
        return edges;
    }

    private List<Wait> path(long from, long to) {
        Map<Long, Wait> reachedBy = new LinkedHashMap<>();
        Set<Long> seen = new HashSet<>(Set.of(from));
        ArrayDeque<Long> next = new ArrayDeque<>(List.of(from));
        while (!next.isEmpty()) {
            long txn = next.remove();
            for (Wait wait : waits.getOrDefault(txn, List.of())) {
                if (seen.add(wait.holder())) {
                    reachedBy.put(wait.holder(), wait);
                    if (wait.holder() == to) {
                        return back(reachedBy, from, to);
                    }
                    next.add(wait.holder());
                }
            }
        }
        return List.of();
    }

    private static List<Wait> back(Map<Long, Wait> reachedBy, long from, long to) {
        List<Wait> path = new ArrayList<>();
        long at = to;
        while (at != from) {
            Wait wait = reachedBy.get(at);
            if (wait == null) {
                break;
            }
            path.add(wait);
            at = wait.waiter();
        }
        Collections.reverse(path);
        return path;
    }
}
