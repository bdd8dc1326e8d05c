package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.Follow;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.Unfollow;
import io.tidekv.proto.pdstate.RegionEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Sees to it that each region has as many warm copies on other stores as are wanted, one that
 * hibernates none, and that no store keeps one that nobody wants. Compares with what the stores
 * report, so nothing is remembered but when it has looked last.
 */
final class StandbyKeeper {
    private static final long PERIOD_NANOS = 500_000_000L;

    private final int wanted;
    private long lookedAtNanos;
    private boolean looked;

    StandbyKeeper(int wanted) {
        this.wanted = wanted;
    }

    static StoreCommand follow(RegionEntry region) {
        return StoreCommand.newBuilder()
                .setFollow(
                        Follow.newBuilder()
                                .setShape(region.getShape())
                                .setConfig(region.getConfig()))
                .build();
    }

    /** Sends what is missing or too much. */
    void orders(ClusterView view, Sessions sessions, Operators operators, long nowNanos) {
        if (looked && nowNanos - lookedAtNanos < PERIOD_NANOS) {
            return;
        }
        looked = true;
        lookedAtNanos = nowNanos;
        Map<Long, Set<Long>> plan = plan(view, sessions, nowNanos);
        for (StoreSession session : sessions.all()) {
            long store = session.owner.getStoreId();
            Set<Long> here = plan.getOrDefault(store, Set.of());
            for (long id : session.standbys().keySet()) {
                if (!here.contains(id) && operators.wantedStore(id) != store) {
                    session.send(
                            StoreCommand.newBuilder()
                                    .setUnfollow(Unfollow.newBuilder().setRegionId(id))
                                    .build());
                }
            }
            for (long id : here) {
                RegionEntry region = view.region(id);
                if (region != null && session.standby(id) == null) {
                    session.send(follow(region));
                }
            }
        }
    }

    /** The regions that each store should keep warm. */
    private Map<Long, Set<Long>> plan(ClusterView view, Sessions sessions, long nowNanos) {
        Map<Long, Set<Long>> plan = new LinkedHashMap<>();
        List<StoreSession> takers = wanted == 0 ? List.of() : sessions.takers(view, nowNanos);
        Map<Long, Integer> load = new HashMap<>();
        takers.forEach(t -> load.put(t.owner.getStoreId(), t.standbys().size()));
        for (RegionEntry region : takers.isEmpty() ? List.<RegionEntry>of() : all(view)) {
            long id = region.getShape().getRegionId();
            StoreSession owner = sessions.ownerOf(region);
            if (owner != null && owner.isHibernated(region)) {
                continue;
            }
            List<StoreSession> others = new ArrayList<>(takers);
            others.removeIf(t -> t.owner.getStoreId() == region.getOwner().getStoreId());
            // Those that have it already come first, then those with the least.
            others.sort(
                    (a, b) -> {
                        boolean hasA = a.standby(id) != null;
                        boolean hasB = b.standby(id) != null;
                        return hasA != hasB
                                ? (hasA ? -1 : 1)
                                : Integer.compare(
                                        load.getOrDefault(a.owner.getStoreId(), 0),
                                        load.getOrDefault(b.owner.getStoreId(), 0));
                    });
            for (StoreSession chosen : others.subList(0, Math.min(wanted, others.size()))) {
                long store = chosen.owner.getStoreId();
                plan.computeIfAbsent(store, s -> new LinkedHashSet<>()).add(id);
                if (chosen.standby(id) == null) {
                    load.merge(store, 1, Integer::sum);
                }
            }
        }
        return plan;
    }

    private static List<RegionEntry> all(ClusterView view) {
        return List.copyOf(view.regions().values());
    }
}
