package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.pdstate.RegionEntry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Evens out the number of regions per store, one move at a time. */
final class Balancer {
    private static final String DESCRIPTION = "balance-region";
    private static final long COOL_DOWN_NANOS = 10_000_000_000L;

    private final ScheduleConfig config;
    private final Map<Long, Long> coolUntilNanos = new HashMap<>();
    private long nextNanos;

    Balancer(ScheduleConfig config) {
        this.config = config;
    }

    /** The next move, if the stores differ by more than is tolerated and nothing is under way. */
    @Nullable MoveOperator next(
            ClusterView view, Sessions sessions, Operators operators, long nowNanos) {
        if (!config.balance() || nowNanos - nextNanos < 0) {
            return null;
        }
        nextNanos = nowNanos + config.balanceInterval().toNanos();
        coolUntilNanos.values().removeIf(until -> nowNanos - until >= 0);
        if (operators.running().stream().anyMatch(o -> o.description.equals(DESCRIPTION))) {
            return null;
        }
        List<StoreSession> takers = sessions.takers(view, nowNanos);
        StoreSession most = null;
        StoreSession least = null;
        for (StoreSession taker : takers) {
            int count = count(view, taker);
            if (most == null || count > count(view, most)) {
                most = taker;
            }
            if (least == null || count < count(view, least)) {
                least = taker;
            }
        }
        if (most == null
                || least == null
                || count(view, most) - count(view, least) <= config.balanceTolerance()) {
            return null;
        }
        RegionEntry region = cheapest(view, most, operators);
        if (region == null) {
            return null;
        }
        coolUntilNanos.put(region.getShape().getRegionId(), nowNanos + COOL_DOWN_NANOS);
        return new MoveOperator(
                region,
                least.owner.getStoreId(),
                DESCRIPTION,
                nowNanos + config.operatorTimeout().toNanos());
    }

    private static int count(ClusterView view, StoreSession session) {
        int count = 0;
        for (RegionEntry region : view.ownedBy(session.owner.getStoreId())) {
            count += region.getOwner().equals(session.owner) ? 1 : 0;
        }
        return count;
    }

    /** The smallest region that is served and has not been tried lately. */
    private @Nullable RegionEntry cheapest(
            ClusterView view, StoreSession from, Operators operators) {
        RegionEntry best = null;
        long bestBytes = Long.MAX_VALUE;
        for (RegionEntry region : view.ownedBy(from.owner.getStoreId())) {
            long id = region.getShape().getRegionId();
            RegionReport report = region.getOwner().equals(from.owner) ? from.report(region) : null;
            if (report != null
                    && report.getState() == RegionState.LEADING
                    && !operators.busy(id)
                    && !coolUntilNanos.containsKey(id)
                    && report.getApproximateBytes() < bestBytes) {
                best = region;
                bestBytes = report.getApproximateBytes();
            }
        }
        return best;
    }
}
