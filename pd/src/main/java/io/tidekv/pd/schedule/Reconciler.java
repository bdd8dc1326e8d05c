package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.Revoke;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.pdstate.Observation;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.RegionShape;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares what a store reports with what PD has decided, and repeats the decision where they
 * differ. Nothing is remembered about orders that were sent: what has no effect is sent again.
 */
final class Reconciler {
    /** An order is on its way; sooner than this it is not repeated. */
    private static final long REPEAT_NANOS = 300_000_000L;

    private Reconciler() {}

    /** Sends what the store is missing or has too much; true when that is nothing. */
    static boolean orders(ClusterView view, StoreSession session, long nowNanos) {
        boolean agree = session.complete();
        for (RegionReport report : session.reports().values()) {
            RegionEntry region = view.region(report.getShape().getRegionId());
            if (region == null) {
                // A child whose split has not been reported yet.
                agree = false;
                continue;
            }
            boolean over = report.getTerm() < region.getTerm();
            boolean mine = region.getOwner().equals(session.owner);
            agree &= mine && !over && settled(region, report);
            if (over && !mine) {
                session.send(
                        StoreCommand.newBuilder()
                                .setRevoke(
                                        Revoke.newBuilder()
                                                .setRegionId(region.getShape().getRegionId())
                                                .setTerm(region.getTerm()))
                                .build());
            }
        }
        if (!session.complete()) {
            return false;
        }
        for (RegionEntry region : view.ownedBy(session.owner.getStoreId())) {
            if (region.getOwner().equals(session.owner) && session.report(region) == null) {
                agree = false;
                long id = region.getShape().getRegionId();
                Long last = session.assignedAtNanos.get(id);
                if (last == null || nowNanos - last >= REPEAT_NANOS) {
                    assign(session, region, nowNanos);
                }
            }
        }
        return agree;
    }

    /** True when there is nothing in the report that PD still has to take over. */
    private static boolean settled(RegionEntry region, RegionReport report) {
        return report.getState() == RegionState.LEADING && !isNews(region, report);
    }

    static void assign(StoreSession session, RegionEntry region, long nowNanos) {
        Assign.Builder order =
                Assign.newBuilder()
                        .setShape(region.getShape())
                        .setTerm(region.getTerm())
                        .setConfig(region.getConfig());
        if (region.hasOrigin()) {
            order.setOrigin(region.getOrigin());
        }
        session.assignedAtNanos.put(region.getShape().getRegionId(), nowNanos);
        session.send(StoreCommand.newBuilder().setAssign(order).build());
    }

    /** What a report says that PD must not forget and does not know yet. */
    static List<Observation> news(ClusterView view, StoreSession session) {
        List<Observation> news = new ArrayList<>();
        for (RegionReport report : session.reports().values()) {
            RegionEntry region = view.region(report.getShape().getRegionId());
            if (region == null
                    || region.getTerm() != report.getTerm()
                    || !region.getOwner().equals(session.owner)
                    || report.getState() != RegionState.LEADING) {
                continue;
            }
            if (isNews(region, report)) {
                news.add(
                        Observation.newBuilder()
                                .setRegionId(region.getShape().getRegionId())
                                .setTerm(report.getTerm())
                                .setServing(true)
                                .setShape(report.getShape())
                                .setConfig(report.getConfig())
                                .build());
            }
        }
        return news;
    }

    private static boolean isNews(RegionEntry region, RegionReport report) {
        boolean newConfig = report.getConfig().getGeneration() > region.getConfig().getGeneration();
        return region.hasOrigin() || newConfig || newVersion(region, report);
    }

    /** A version with another range waits for the report of its split. */
    private static boolean newVersion(RegionEntry region, RegionReport report) {
        RegionShape was = region.getShape();
        RegionShape is = report.getShape();
        return is.getVersion() > was.getVersion()
                && is.getStartKey().equals(was.getStartKey())
                && is.getEndKey().equals(was.getEndKey());
    }
}
