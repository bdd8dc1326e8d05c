package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.Owner;
import java.util.Map;
import java.util.Set;
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

    private final Map<Long, RegionReport> regions = new ConcurrentHashMap<>();
    private final Map<Long, StoreStatus> stores = new ConcurrentHashMap<>();
    private volatile Set<Long> walUp = Set.of();

    /** The owner's report at the term that PD has issued; null when there is none. */
    public @Nullable RegionReport report(RegionEntry region) {
        RegionReport report = regions.get(region.getShape().getRegionId());
        return report != null && report.getTerm() == region.getTerm() ? report : null;
    }

    /** True when the region's owner serves it. */
    public boolean leading(RegionEntry region) {
        RegionReport report = report(region);
        return report != null && report.getState() == RegionState.LEADING;
    }

    public @Nullable StoreStatus store(long storeId) {
        return stores.get(storeId);
    }

    /** True when the WAL node has been heard of lately. */
    public boolean walUp(long walId) {
        return walUp.contains(walId);
    }

    void put(StoreStatus status) {
        stores.put(status.owner.getStoreId(), status);
    }

    /** A report replaces that of an older term only. */
    void put(RegionReport report) {
        regions.merge(
                report.getShape().getRegionId(),
                report,
                (old, now) -> old.getTerm() > now.getTerm() ? old : now);
    }

    void setWalUp(Set<Long> up) {
        walUp = Set.copyOf(up);
    }

    void drop(long regionId, long term) {
        regions.computeIfPresent(
                regionId, (id, report) -> report.getTerm() <= term ? null : report);
    }

    void clear() {
        regions.clear();
        stores.clear();
        walUp = Set.of();
    }
}
