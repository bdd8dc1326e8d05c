package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.Owner;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the stores have last reported, for answering clients. Written by the coordinator, read by
 * any thread. Empty on a node that does not lead.
 */
public final class LiveView {
    /** A store process that has reported. {@code lastSeenNanos} is monotonic. */
    public record StoreStatus(
            Owner owner,
            boolean alive,
            long lastSeenNanos,
            long lastSeenMillis,
            StoreStats stats) {}

    /**
     * A WAL node as the coordinator sees it.
     *
     * @param up heard of lately
     * @param changes changes of voters that add or remove the node, under way or to be made
     * @param problem why nothing goes on, when something ought to; else empty
     */
    public record WalStatus(boolean up, int changes, String problem) {
        static final WalStatus UNKNOWN = new WalStatus(false, 0, "");
    }

    /** A region that its owners could not open, one after the other. */
    private record Failed(long term, int owners, RegionReport report) {}

    private final Map<Long, Failed> failed = new ConcurrentHashMap<>();
    private final Map<Long, RegionReport> regions = new ConcurrentHashMap<>();
    private final Map<Long, StoreStatus> stores = new ConcurrentHashMap<>();
    private volatile Map<Long, WalStatus> wal = Map.of();
    private volatile Map<Long, Integer> moves = Map.of();

    /** The owner's report at the term that PD has issued; null when there is none. */
    public @Nullable RegionReport report(RegionEntry region) {
        RegionReport report = regions.get(region.getShape().getRegionId());
        return report != null && report.getTerm() == region.getTerm() ? report : null;
    }

    /** True when the region's owner serves it, and has not fallen silent since it said so. */
    public boolean leading(RegionEntry region) {
        RegionReport report = report(region);
        StoreStatus owner = stores.get(region.getOwner().getStoreId());
        return report != null
                && report.getState() == RegionState.LEADING
                && owner != null
                && owner.alive();
    }

    public @Nullable StoreStatus store(long storeId) {
        return stores.get(storeId);
    }

    public WalStatus wal(long walId) {
        return wal.getOrDefault(walId, WalStatus.UNKNOWN);
    }

    /** Moves of regions from and to the store, under way or to be made. */
    public int moves(long storeId) {
        return moves.getOrDefault(storeId, 0);
    }

    /**
     * The last report of a region that two owners in a row could not open; null for others. PD goes
     * on trying, so the newest report may say that it is being opened.
     */
    public @Nullable RegionReport damaged(RegionEntry region) {
        Failed failure = failed.get(region.getShape().getRegionId());
        return failure != null && failure.owners > 1 && !leading(region) ? failure.report : null;
    }

    void put(StoreStatus status) {
        stores.put(status.owner.getStoreId(), status);
    }

    /** A report replaces that of an older term only. */
    void put(RegionReport report) {
        regions.merge(
                report.getShape().getRegionId(),
                report,
                (old, now) -> old.getTerm() > now.getTerm() ? old : sized(old, now));
        long id = report.getShape().getRegionId();
        if (report.getState() == RegionState.LEADING) {
            failed.remove(id);
        } else if (report.getState() == RegionState.FAILED) {
            failed.merge(
                    id,
                    new Failed(report.getTerm(), 1, report),
                    (old, now) ->
                            old.term == now.term
                                    ? old
                                    : new Failed(now.term, old.owners + 1, now.report));
        }
    }

    /** A region that hibernates has the size that it had. */
    private static RegionReport sized(RegionReport old, RegionReport now) {
        boolean unknown = now.getHibernated() && now.getApproximateBytes() == 0;
        return unknown && old.getApproximateBytes() > 0
                ? now.toBuilder()
                        .setApproximateBytes(old.getApproximateBytes())
                        .setApproximateKeys(old.getApproximateKeys())
                        .build()
                : now;
    }

    void setWal(Map<Long, WalStatus> statuses) {
        wal = statuses;
    }

    void setMoves(Map<Long, Integer> count) {
        moves = count;
    }

    void drop(long regionId, long term) {
        regions.computeIfPresent(
                regionId, (id, report) -> report.getTerm() <= term ? null : report);
    }

    void clear() {
        regions.clear();
        stores.clear();
        failed.clear();
        wal = Map.of();
        moves = Map.of();
    }
}
