package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.pdstate.RegionEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Empties the stores that drain and evens out the number of regions of the others, several moves at
 * once, those that hibernate first, then the smallest.
 */
final class Balancer {
    static final String BALANCE = "balance-region";
    static final String DRAIN = "drain-store";
    private static final long COOL_DOWN_NANOS = 10_000_000_000L;

    /** Regions that hibernate move by a few messages each: so many instead of one. */
    private static final int HIBERNATED = 16;

    private final ScheduleConfig config;
    private final Map<Long, Long> coolUntilNanos = new HashMap<>();
    private final Map<Long, Integer> moves = new HashMap<>();
    private long nextNanos;

    Balancer(ScheduleConfig config) {
        this.config = config;
    }

    /** One look at the stores: who has how many regions once all that is under way is done. */
    private record Look(
            ClusterView view,
            Operators operators,
            Map<Long, Integer> load,
            List<StoreSession> takers,
            long nowNanos,
            List<MoveOperator> moves) {
        int load(StoreSession store) {
            return load.getOrDefault(store.owner.getStoreId(), 0);
        }

        @Nullable StoreSession least() {
            return takers.stream().min(Comparator.comparingInt(this::load)).orElse(null);
        }

        @Nullable StoreSession most() {
            return takers.stream().max(Comparator.comparingInt(this::load)).orElse(null);
        }
    }

    /** The moves to begin now. */
    List<MoveOperator> next(
            ClusterView view, Sessions sessions, Operators operators, long nowNanos) {
        if (nowNanos - nextNanos < 0) {
            return List.of();
        }
        nextNanos = nowNanos + config.balanceInterval().toNanos();
        coolUntilNanos.values().removeIf(until -> nowNanos - until >= 0);
        List<StoreSession> takers = sessions.takers(view, nowNanos);
        Map<Long, Integer> load = load(view, operators);
        Look look = new Look(view, operators, load, takers, nowNanos, new ArrayList<>());
        int running = 0;
        for (Operator operator : operators.running()) {
            running += operator.yields() ? 1 : 0;
        }
        Room room = new Room(config.movesAtOnce(), running);
        for (StoreSession session : sessions.all()) {
            if (view.draining(session.owner.getStoreId())) {
                drain(look, session, room);
            }
        }
        if (config.balance()) {
            even(look, room);
        }
        return look.moves;
    }

    /** How many moves may be under way. */
    private record Room(int atOnce, int running) {
        boolean isLeft(Look look, StoreSession from, RegionEntry region) {
            int most = from.isHibernated(region) ? atOnce * HIBERNATED : atOnce;
            return running + look.moves.size() < most;
        }
    }

    private void drain(Look look, StoreSession from, Room room) {
        Deque<RegionEntry> regions = movable(look, from);
        while (!regions.isEmpty() && room.isLeft(look, from, regions.element())) {
            StoreSession least = look.least();
            if (least == null) {
                return;
            }
            move(look, regions.remove(), least, DRAIN);
        }
    }

    private void even(Look look, Room room) {
        Map<StoreSession, Deque<RegionEntry>> movable = new HashMap<>();
        while (true) {
            StoreSession most = look.most();
            StoreSession least = look.least();
            if (most == null
                    || least == null
                    || look.load(most) - look.load(least) <= config.balanceTolerance()) {
                return;
            }
            RegionEntry region = movable.computeIfAbsent(most, s -> movable(look, s)).poll();
            if (region == null || !room.isLeft(look, most, region)) {
                return;
            }
            move(look, region, least, BALANCE);
        }
    }

    private void move(Look look, RegionEntry region, StoreSession to, String why) {
        coolUntilNanos.put(region.getShape().getRegionId(), look.nowNanos + COOL_DOWN_NANOS);
        look.load.merge(region.getOwner().getStoreId(), -1, Integer::sum);
        look.load.merge(to.owner.getStoreId(), 1, Integer::sum);
        look.moves.add(
                new MoveOperator(
                        region,
                        to.owner.getStoreId(),
                        why,
                        look.nowNanos + config.operatorTimeout().toNanos()));
    }

    /** Regions by owner as they will be, and how many moves each store has to do with. */
    private Map<Long, Integer> load(ClusterView view, Operators operators) {
        Map<Long, Integer> load = new HashMap<>();
        view.stores().keySet().forEach(id -> load.put(id, view.ownedBy(id).size()));
        moves.clear();
        for (Operator operator : operators.running()) {
            RegionEntry region = view.region(operator.regionId);
            long to = operator.wantedStore();
            if (region != null && to != 0) {
                long from = region.getOwner().getStoreId();
                load.merge(from, -1, Integer::sum);
                load.merge(to, 1, Integer::sum);
                moves.merge(from, 1, Integer::sum);
                moves.merge(to, from == to ? 0 : 1, Integer::sum);
            }
        }
        return load;
    }

    /** What can be moved away from a store: what hibernates, then the smallest first. */
    private Deque<RegionEntry> movable(Look look, StoreSession from) {
        List<RegionEntry> found = new ArrayList<>();
        for (RegionEntry region : look.view.ownedBy(from.owner.getStoreId())) {
            long id = region.getShape().getRegionId();
            RegionReport report = region.getOwner().equals(from.owner) ? from.report(region) : null;
            if (report != null
                    && report.getState() == RegionState.LEADING
                    && !look.operators.busy(id)
                    && !coolUntilNanos.containsKey(id)) {
                found.add(region);
            }
        }
        found.sort(
                Comparator.<RegionEntry, Boolean>comparing(r -> !from.isHibernated(r))
                        .thenComparingLong(r -> bytes(from, r)));
        return new ArrayDeque<>(found);
    }

    private static long bytes(StoreSession store, RegionEntry region) {
        RegionReport report = store.report(region);
        return report == null ? 0 : report.getApproximateBytes();
    }

    /** Moves under way from and to each store, at the last look. */
    Map<Long, Integer> moves() {
        return Collections.unmodifiableMap(new HashMap<>(moves));
    }
}
