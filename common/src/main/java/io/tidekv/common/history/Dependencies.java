package io.tidekv.common.history;

import io.tidekv.common.history.ListAppendChecker.Edge;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A graph of transactions with kinds of edges, and its cycles. */
final class Dependencies {
    private final Map<Edge, Map<Long, Set<Long>>> edges = new LinkedHashMap<>();
    private final Set<Long> nodes = new LinkedHashSet<>();

    void add(long from, long to, Edge kind) {
        if (from != to) {
            nodes.add(from);
            nodes.add(to);
            edges.computeIfAbsent(kind, each -> new LinkedHashMap<>())
                    .computeIfAbsent(from, each -> new LinkedHashSet<>())
                    .add(to);
        }
    }

    /**
     * A shortest cycle over edges of some kinds; null when there is none.
     *
     * @param once when not null, the cycle has exactly one edge of this kind besides
     */
    @Nullable String cycle(Set<Edge> kinds, @Nullable Edge once) {
        for (long node : nodes) {
            Set<Long> starts = once == null ? next(node, kinds) : next(node, Set.of(once));
            for (long start : starts) {
                List<Long> back = path(start, node, kinds);
                if (back != null) {
                    List<Long> cycle = new ArrayList<>(List.of(node));
                    cycle.addAll(back);
                    return cycle.toString();
                }
            }
        }
        return null;
    }

    private @Nullable List<Long> path(long from, long to, Set<Edge> kinds) {
        Map<Long, Long> reachedFrom = new LinkedHashMap<>();
        reachedFrom.put(from, from);
        ArrayDeque<Long> open = new ArrayDeque<>(List.of(from));
        while (!open.isEmpty()) {
            long node = open.remove();
            if (node == to) {
                return back(reachedFrom, from, to);
            }
            for (long neighbour : next(node, kinds)) {
                if (reachedFrom.putIfAbsent(neighbour, node) == null) {
                    open.add(neighbour);
                }
            }
        }
        return null;
    }

    private static List<Long> back(Map<Long, Long> reachedFrom, long from, long to) {
        List<Long> path = new ArrayList<>(List.of(to));
        for (long node = to; node != from; ) {
            node = reachedFrom.getOrDefault(node, from);
            path.add(node);
        }
        Collections.reverse(path);
        return path;
    }

    private Set<Long> next(long node, Set<Edge> kinds) {
        Set<Long> all = new LinkedHashSet<>();
        for (Edge kind : Edge.values()) {
            if (kinds.contains(kind)) {
                all.addAll(edges.getOrDefault(kind, Map.of()).getOrDefault(node, Set.of()));
            }
        }
        return all;
    }
}
