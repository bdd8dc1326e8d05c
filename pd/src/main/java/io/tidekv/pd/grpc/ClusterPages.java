package io.tidekv.pd.grpc;

import io.tidekv.common.time.Clock;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Members;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.routing.StoreStates;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.pd.schedule.LiveView.StoreStatus;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListRegionsResponse;
import io.tidekv.proto.cluster.ListStoresResponse;
import io.tidekv.proto.cluster.ListWalResponse;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.pdstate.WalEntry;
import io.tidekv.proto.region.Owner;
import java.util.List;

/** What {@code tidekv ctl} is shown. */
public final class ClusterPages {
    private final StateLog log;
    private final LiveView live;
    private final Routing routing;
    private final Members members;
    private final Clock clock;

    public ClusterPages(
            StateLog log, LiveView live, Routing routing, Members members, Clock clock) {
        this.log = log;
        this.live = live;
        this.routing = routing;
        this.members = members;
        this.clock = clock;
    }

    ClusterStatusResponse status() {
        List<Located> regions = routing.all();
        ListStoresResponse stores = stores();
        ListWalResponse wal = walNodes();
        return log.read(
                state ->
                        ClusterStatusResponse.newBuilder()
                                .setClusterId(state.clusterId())
                                .setSettings(state.settings())
                                .setVersion(Members.VERSION)
                                .setStoresTotal(stores.getStoresCount())
                                .setStoresUp(
                                        (int)
                                                stores.getStoresList().stream()
                                                        .filter(s -> s.getState().equals("Up"))
                                                        .count())
                                .setWalTotal(wal.getNodesCount())
                                .setWalUp(
                                        (int)
                                                wal.getNodesList().stream()
                                                        .filter(n -> n.getState().equals("Up"))
                                                        .count())
                                .setRegions(regions.size())
                                .setRegionsServing(
                                        regions.stream().filter(Located::leading).count())
                                .setPdLeader(members.leaderName())
                                .addAllPdMembers(
                                        state.members().stream().map(m -> m.getName()).toList())
                                .build());
    }

    ListStoresResponse stores() {
        List<StoreEntry> entries = log.read(s -> List.copyOf(s.stores()));
        return ListStoresResponse.newBuilder()
                .addAllStores(entries.stream().map(this::store).toList())
                .build();
    }

    private StoreInfo store(StoreEntry entry) {
        StoreStatus status = live.store(entry.getStoreId());
        StoreInfo.Builder info =
                StoreInfo.newBuilder()
                        .setOwner(
                                Owner.newBuilder()
                                        .setStoreId(entry.getStoreId())
                                        .setIncarnation(entry.getIncarnation()))
                        .setAddress(entry.getAddress())
                        .setStatusAddress(entry.getStatusAddress())
                        .setVersion(entry.getVersion())
                        .setState(StoreStates.name(status, clock));
        if (status != null) {
            long silent = clock.monotonicNanos() - status.lastSeenNanos();
            info.setStats(status.stats()).setLastHeartbeatMsAgo(silent / 1_000_000);
        }
        return info.build();
    }

    ListRegionsResponse regions(ListRegionsRequest request) {
        ListRegionsResponse.Builder response = ListRegionsResponse.newBuilder();
        if (request.getRegionId() != 0) {
            Located region = routing.byId(request.getRegionId());
            if (region != null) {
                response.addRegions(info(region));
            }
            return response.build();
        }
        List<Located> found =
                routing.scan(request.getStartKey(), request.getEndKey(), request.getLimit());
        found.forEach(region -> response.addRegions(info(region)));
        return response.build();
    }

    private static RegionInfo info(Located region) {
        RegionEntry entry = region.entry();
        RegionInfo.Builder info =
                RegionInfo.newBuilder()
                        .setShape(entry.getShape())
                        .setTerm(entry.getTerm())
                        .setOwner(entry.getOwner())
                        .setConfig(entry.getConfig());
        if (region.report() != null) {
            info.setState(region.report().getState())
                    .setApproximateBytes(region.report().getApproximateBytes())
                    .setApproximateKeys(region.report().getApproximateKeys())
                    .setError(region.report().getError());
        }
        return info.build();
    }

    ListWalResponse walNodes() {
        List<WalEntry> entries = log.read(s -> List.copyOf(s.walNodes()));
        ListWalResponse.Builder response = ListWalResponse.newBuilder();
        for (WalEntry entry : entries) {
            response.addNodes(
                    WalNode.newBuilder()
                            .setWalId(entry.getWalId())
                            .setUuid(entry.getUuid())
                            .setAddress(entry.getAddress())
                            .setZone(entry.getZone())
                            .setState(live.walUp(entry.getWalId()) ? "Up" : "Down"));
        }
        return response.build();
    }
}
