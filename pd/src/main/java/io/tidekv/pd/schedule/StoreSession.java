package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.cluster.WalNodes;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.region.Owner;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is known of one store process that has reported to this PD. */
final class StoreSession {
    final Owner owner;
    private final Map<Long, RegionReport> reports = new LinkedHashMap<>();
    private final Map<Long, StandbyReport> standbys = new LinkedHashMap<>();

    /** When each region was last assigned to this process. */
    final Map<Long, Long> assignedAtNanos = new LinkedHashMap<>();

    private @Nullable StoreSink sink;
    private StoreStats stats = StoreStats.getDefaultInstance();
    private @Nullable WalNodes walNodes;
    private long lastSeenNanos;
    private boolean complete;
    private boolean leaving;

    /** The regions' change up to which the reports agree with PD's state; -1: they do not. */
    private long agreesAtChange = -1;

    StoreSession(Owner owner, StoreSink sink, long nowNanos) {
        this.owner = owner;
        this.sink = sink;
        this.lastSeenNanos = nowNanos;
    }

    /** A new stream of the same process: everything has to be reported again. */
    void reconnect(StoreSink stream) {
        StoreSink old = sink;
        if (old != null && old != stream) {
            old.end();
        }
        sink = stream;
        complete = false;
        agreesAtChange = -1;
        walNodes = null;
    }

    void accept(StoreReport report, long nowNanos) {
        lastSeenNanos = nowNanos;
        leaving = report.getLeaving();
        if (report.hasStats()) {
            stats = report.getStats();
        }
        if (report.getFull()) {
            reports.clear();
            complete = true;
        }
        if (report.getStandbysListed()) {
            standbys.clear();
            report.getStandbysList().forEach(s -> standbys.put(s.getRegionId(), s));
        }
        report.getRegionsList().forEach(r -> reports.put(r.getShape().getRegionId(), r));
    }

    /** False when nothing has changed here or there since the two were last found to agree. */
    boolean toCompare(long regionChange, boolean news) {
        return news || agreesAtChange != regionChange;
    }

    void compared(long regionChange, boolean agree) {
        agreesAtChange = agree ? regionChange : -1;
    }

    void send(StoreCommand command) {
        StoreSink stream = sink;
        if (stream != null) {
            stream.send(command);
        }
    }

    void sendWalNodes(WalNodes nodes) {
        if (sink != null && !nodes.equals(walNodes)) {
            send(StoreCommand.newBuilder().setWalNodes(nodes).build());
            walNodes = nodes;
        }
    }

    void disconnected(StoreSink stream) {
        if (sink == stream) {
            sink = null;
        }
    }

    @Nullable StoreSink sink() {
        return sink;
    }

    boolean connected() {
        return sink != null;
    }

    /** What the process says of the region at the term that PD has issued; null when nothing. */
    @Nullable RegionReport report(RegionEntry region) {
        RegionReport report = reports.get(region.getShape().getRegionId());
        return report != null && report.getTerm() == region.getTerm() ? report : null;
    }

    RegionState state(RegionEntry region) {
        RegionReport report = report(region);
        return report == null ? RegionState.REGION_STATE_UNSPECIFIED : report.getState();
    }

    /** Whether the process leads the region without having it open. */
    boolean isHibernated(RegionEntry region) {
        RegionReport report = report(region);
        return report != null && report.getHibernated();
    }

    /** What the process says of its warm copy of the region; null when it has none. */
    @Nullable StandbyReport standby(long regionId) {
        return standbys.get(regionId);
    }

    /** Whether it has a copy that can take over soon, if only because its files are there. */
    boolean isWarm(long regionId) {
        StandbyReport standby = standbys.get(regionId);
        return standby != null && (standby.getReady() || standby.getHydrated());
    }

    Map<Long, StandbyReport> standbys() {
        return standbys;
    }

    Map<Long, RegionReport> reports() {
        return reports;
    }

    /** True once all regions have been listed on this stream. */
    boolean complete() {
        return complete;
    }

    boolean leaving() {
        return leaving;
    }

    StoreStats stats() {
        return stats;
    }

    long lastSeenNanos() {
        return lastSeenNanos;
    }

    /** The time in which PD itself stood still does not count against the store. */
    void forgive(long nowNanos) {
        lastSeenNanos = nowNanos;
    }
}
