package io.tidekv.pd.schedule;

import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.WalEntry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which WAL nodes should be a region's voters: as many zones as there are first, then those that
 * are voters of the fewest regions. A node without a zone is a zone of its own. One picture of the
 * cluster; choices made here count in later ones.
 */
final class VoterRules {
    private final Map<Long, String> zones = new LinkedHashMap<>();
    private final TreeMap<Long, Integer> load = new TreeMap<>();
    private final Set<Long> up;
    private final Set<Long> unwanted;

    VoterRules(ClusterView view, Set<Long> up, Set<Long> unwanted) {
        this.up = up;
        this.unwanted = unwanted;
        for (WalEntry node : view.walNodes()) {
            long id = node.getWalId();
            zones.put(id, node.getZone().isEmpty() ? "#" + id : node.getZone());
            load.put(id, 0);
        }
        for (RegionEntry region : view.regions().values()) {
            region.getConfig().getWalIdsList().forEach(id -> load.merge(id, 1, Integer::sum));
        }
    }

    /** True for a node that may be given more. */
    boolean takes(long walId) {
        return up.contains(walId) && !unwanted.contains(walId) && zones.containsKey(walId);
    }

    boolean unwanted(long walId) {
        return unwanted.contains(walId) || !zones.containsKey(walId);
    }

    boolean allUp(Collection<Long> walIds) {
        return up.containsAll(walIds);
    }

    int load(long walId) {
        return load.getOrDefault(walId, 0);
    }

    /** A change under way: counted as if it were done. */
    void count(long walId, int regions) {
        load.merge(walId, regions, Integer::sum);
    }

    /** Nodes that take more, from the least to the most loaded. */
    List<Long> takers() {
        return load.keySet().stream()
                .filter(this::takes)
                .sorted(Comparator.comparingInt(this::load).thenComparing(id -> id))
                .toList();
    }

    /** Voters for a new region: at most {@code count}, fewer when there are not so many. */
    List<Long> fresh(int count) {
        List<Long> chosen = new ArrayList<>();
        while (chosen.size() < count) {
            long next = toAdd(chosen, chosen, 0);
            if (next == 0) {
                break;
            }
            chosen.add(next);
            count(next, 1);
        }
        return chosen;
    }

    /**
     * The best node beside {@code voters}, of whom {@code staying} count for the zones; {@code
     * preferred} if it can; 0 when there is none.
     */
    long toAdd(Collection<Long> voters, Collection<Long> staying, long preferred) {
        if (preferred != 0 && takes(preferred) && !voters.contains(preferred)) {
            return preferred;
        }
        Set<String> taken = zonesOf(staying);
        long best = 0;
        for (long id : takers()) {
            if (!voters.contains(id)) {
                if (!taken.contains(zone(id))) {
                    return id;
                }
                best = best == 0 ? id : best;
            }
        }
        return best;
    }

    /** The voter that is missed least: unwanted, down, doubling a zone, most loaded. */
    long toRemove(Collection<Long> voters) {
        long worst = 0;
        long worstBadness = -1;
        for (long id : voters) {
            List<Long> others = voters.stream().filter(v -> v != id).toList();
            boolean doubles = zonesOf(others).contains(zone(id));
            long badness =
                    (unwanted(id) ? 4L << 40 : 0)
                            + (up.contains(id) ? 0 : 2L << 40)
                            + (doubles ? 1L << 40 : 0)
                            + load(id);
            if (badness > worstBadness) {
                worst = id;
                worstBadness = badness;
            }
        }
        return worst;
    }

    /** True when {@code to} in the place of {@code from} leaves as many zones. */
    boolean zonesAllow(Collection<Long> voters, long from, long to) {
        Set<Long> after = new HashSet<>(voters);
        after.remove(from);
        after.add(to);
        return zonesOf(after).size() >= zonesOf(voters).size();
    }

    private Set<String> zonesOf(Collection<Long> walIds) {
        Set<String> found = new HashSet<>();
        walIds.forEach(id -> found.add(zone(id)));
        return found;
    }

    private String zone(long walId) {
        return zones.getOrDefault(walId, "?" + walId);
    }
}
