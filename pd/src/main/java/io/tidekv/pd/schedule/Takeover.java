package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.TermOrder;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Decides which regions need a new owner, and who that is. Safety does not depend on it: a former
 * owner keeps its lease at the voters, and a new one waits for that.
 */
final class Takeover {
    /** Orders in one command, so that it fits into one entry of the log. */
    private static final int ORDERS_MAX = 20_000;

    /** A process that is leaving may answer an order to open before it hears of it. */
    private static final long ASSIGN_GRACE_NANOS = 500_000_000L;

    private static final long BACKOFF_MIN_NANOS = 500_000_000L;
    private static final long BACKOFF_MAX_NANOS = 10_000_000_000L;

    private enum Reason {
        NONE,
        /** Another process runs on the store's address. */
        REPLACED,
        SILENT,
        RELEASED,
        FAILED
    }

    /** Failures to open in a row, and when to try again. */
    private static final class Failures {
        int count;
        long term;
        long retryAtNanos;
    }

    private final Sessions sessions;
    private final long timeoutNanos;
    private final Map<Long, Failures> failures = new HashMap<>();

    /** When an incarnation was first seen as the newest without having reported. */
    private final Map<Owner, Long> firstSeenNanos = new HashMap<>();

    private final Map<Long, Long> restartedAtNanos = new HashMap<>();

    Takeover(Sessions sessions, long timeoutNanos) {
        this.sessions = sessions;
        this.timeoutNanos = timeoutNanos;
    }

    /**
     * The terms to issue now.
     *
     * @param pending regions for which a term is already on its way
     * @param wanted the store that an operator wants for a region, or 0
     */
    List<TermOrder> plan(
            ClusterView view, Set<Long> pending, LongUnaryOperator wanted, long nowNanos) {
        List<StoreSession> takers = sessions.takers(view, nowNanos);
        if (takers.isEmpty()) {
            return List.of();
        }
        Map<Long, Integer> load = new HashMap<>();
        takers.forEach(t -> load.put(t.owner.getStoreId(), 0));
        List<RegionEntry> needy = new ArrayList<>();
        List<Reason> reasons = new ArrayList<>();
        for (RegionEntry region : view.regions().values()) {
            Reason reason = reason(view, region, nowNanos);
            if (reason == Reason.NONE) {
                load.computeIfPresent(region.getOwner().getStoreId(), (id, n) -> n + 1);
            } else if (!pending.contains(region.getShape().getRegionId())
                    && needy.size() < ORDERS_MAX) {
                needy.add(region);
                reasons.add(reason);
            }
        }
        List<TermOrder> orders = new ArrayList<>();
        for (int i = 0; i < needy.size(); i++) {
            RegionEntry region = needy.get(i);
            long id = region.getShape().getRegionId();
            StoreSession taker =
                    choose(region, reasons.get(i), wanted.applyAsLong(id), takers, load, nowNanos);
            if (taker != null) {
                load.merge(taker.owner.getStoreId(), 1, Integer::sum);
                orders.add(
                        TermOrder.newBuilder()
                                .setRegionId(id)
                                .setExpectedTerm(region.getTerm())
                                .setOwner(taker.owner)
                                .build());
            }
        }
        return orders;
    }

    /** To be told of every region that is led: its failures are forgotten. */
    void leading(long regionId) {
        failures.remove(regionId);
    }

    private Reason reason(ClusterView view, RegionEntry region, long nowNanos) {
        Owner owner = region.getOwner();
        if (!view.isCurrent(owner)) {
            return Reason.REPLACED;
        }
        StoreSession session = sessions.of(owner);
        if (session == null) {
            return silentSinceStart(owner, nowNanos) ? Reason.SILENT : Reason.NONE;
        }
        boolean gone = session.leaving() && !session.connected();
        if (gone || !sessions.alive(session, nowNanos)) {
            return Reason.SILENT;
        }
        RegionState state = session.state(region);
        if (state == RegionState.RELEASED) {
            return Reason.RELEASED;
        }
        if (state == RegionState.FAILED) {
            return mayRetry(region, nowNanos) ? Reason.FAILED : Reason.NONE;
        }
        if (state == RegionState.REGION_STATE_UNSPECIFIED
                && session.leaving()
                && session.complete()) {
            long assigned =
                    session.assignedAtNanos.getOrDefault(
                            region.getShape().getRegionId(), nowNanos - ASSIGN_GRACE_NANOS);
            return nowNanos - assigned >= ASSIGN_GRACE_NANOS ? Reason.RELEASED : Reason.NONE;
        }
        return Reason.NONE;
    }

    private boolean silentSinceStart(Owner owner, long nowNanos) {
        long since = firstSeenNanos.computeIfAbsent(owner, o -> nowNanos);
        return sessions.graceIsOver(nowNanos) && nowNanos - since >= timeoutNanos;
    }

    private boolean mayRetry(RegionEntry region, long nowNanos) {
        Failures failed =
                failures.computeIfAbsent(region.getShape().getRegionId(), id -> new Failures());
        if (failed.term != region.getTerm()) {
            failed.term = region.getTerm();
            failed.count++;
            int shift = Math.min(failed.count - 2, 10);
            failed.retryAtNanos =
                    shift < 0
                            ? nowNanos
                            : nowNanos + Math.min(BACKOFF_MAX_NANOS, BACKOFF_MIN_NANOS << shift);
        }
        return nowNanos >= failed.retryAtNanos;
    }

    private @Nullable StoreSession choose(
            RegionEntry region,
            Reason reason,
            long wanted,
            List<StoreSession> takers,
            Map<Long, Integer> load,
            long nowNanos) {
        long old = region.getOwner().getStoreId();
        long regionId = region.getShape().getRegionId();
        StoreSession best = null;
        for (StoreSession taker : takers) {
            long id = taker.owner.getStoreId();
            if (id == wanted || (reason == Reason.REPLACED && id == old && wanted == 0)) {
                return taker;
            }
            // Elsewhere first: what failed here may well fail here again.
            if (reason == Reason.FAILED && id == old && takers.size() > 1) {
                continue;
            }
            boolean lighter =
                    best == null
                            || load.getOrDefault(id, 0)
                                    < load.getOrDefault(best.owner.getStoreId(), 0);
            boolean warmer = best != null && taker.isWarm(regionId) && !best.isWarm(regionId);
            boolean colder = best != null && !taker.isWarm(regionId) && best.isWarm(regionId);
            if (warmer || (lighter && !colder)) {
                best = taker;
            }
        }
        boolean warm = best != null && best.isWarm(regionId);
        return reason == Reason.REPLACED && !warm && comesBack(old, nowNanos) ? null : best;
    }

    /** The store has just been restarted: its caches are worth a moment's patience. */
    private boolean comesBack(long storeId, long nowNanos) {
        Long since = restartedAtNanos.get(storeId);
        return since != null && nowNanos - since < timeoutNanos;
    }

    /** To be told when a new process has registered for the store. */
    void restarted(long storeId, long nowNanos) {
        restartedAtNanos.put(storeId, nowNanos);
    }
}
