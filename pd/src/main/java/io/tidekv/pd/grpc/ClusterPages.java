package io.tidekv.pd.grpc;

import io.tidekv.common.time.Clock;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Located;
import io.tidekv.pd.routing.Members;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.routing.StoreStates;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.pd.schedule.LiveView.StoreStatus;
import io.tidekv.pd.schedule.LiveView.WalStatus;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListRegionsResponse;
import io.tidekv.proto.cluster.ListStoresResponse;
import io.tidekv.proto.cluster.ListWalResponse;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.cluster.WalHeartbeatRequest;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.pdstate.WalEntry;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** What {@code tidekv ctl} is shown. */
public final class ClusterPages {
    private final StateLog log;
    private final LiveView live;
    private final Routing routing;
    private final Members members;
    private final Clock clock;
    private final Map<Long, Long> catchingUp = new ConcurrentHashMap<>();

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
        List<RegionInfo> damaged = damaged(regions);
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
                                .addAllDamaged(damaged)
                                .setPdLeader(members.leaderName())
                                .addAllPdMembers(
                                        state.members().stream().map(m -> m.getName()).toList())
                                .build());
    }

    /** Regions that nobody could open, each with what its last owner said. */
    private List<RegionInfo> damaged(List<Located> regions) {
        List<RegionInfo> damaged = new ArrayList<>();
        for (Located region : regions) {
            RegionReport said = live.damaged(region.entry());
            if (said != null) {
                damaged.add(
                        info(region).toBuilder()
                                .setState(said.getState())
                                .setError(said.getError())
                                .build());
            }
        }
        return damaged;
    }

    ListStoresResponse stores() {
        List<StoreEntry> entries = log.read(s -> List.copyOf(s.stores()));
        Map<Long, Long> owned =
                routing.all().stream()
                        .collect(
                                Collectors.groupingBy(
                                        r -> r.entry().getOwner().getStoreId(),
                                        Collectors.counting()));
        ListStoresResponse.Builder response = ListStoresResponse.newBuilder();
        for (StoreEntry entry : entries) {
            long count = owned.getOrDefault(entry.getStoreId(), 0L);
            response.addStores(store(entry).setOwnedRegions(count));
        }
        return response.build();
    }

    private StoreInfo.Builder store(StoreEntry entry) {
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
                        .setMode(entry.getMode())
                        .setMoves(live.moves(entry.getStoreId()))
                        .setState(StoreStates.name(status, clock));
        if (status != null) {
            long silent = clock.monotonicNanos() - status.lastSeenNanos();
            info.setStats(status.stats()).setLastHeartbeatMsAgo(silent / 1_000_000);
        }
        return info;
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
                    .setHibernated(region.report().getHibernated())
                    .setError(region.report().getError());
            if (region.report().hasRoots()) {
                info.setRoots(region.report().getRoots());
            }
        }
        return info.build();
    }

    /** What a WAL node says of itself with each heartbeat. */
    void walSaid(WalHeartbeatRequest said) {
        catchingUp.put(said.getWalId(), said.getCatchingUp());
    }

    ListWalResponse walNodes() {
        List<WalEntry> entries = log.read(s -> List.copyOf(s.walNodes()));
        Map<Long, Integer> regions = new HashMap<>();
        for (Located region : routing.all()) {
            for (long id : region.entry().getConfig().getWalIdsList()) {
                regions.merge(id, 1, Integer::sum);
            }
        }
        ListWalResponse.Builder response = ListWalResponse.newBuilder();
        for (WalEntry entry : entries) {
            WalStatus status = live.wal(entry.getWalId());
            response.addNodes(
                    WalNode.newBuilder()
                            .setWalId(entry.getWalId())
                            .setUuid(entry.getUuid())
                            .setAddress(entry.getAddress())
                            .setZone(entry.getZone())
                            .setState(status.up() ? "Up" : "Down")
                            .setMode(entry.getMode())
                            .setReplacement(entry.getReplacement())
                            .setRegions(regions.getOrDefault(entry.getWalId(), 0))
                            .setChanges(status.changes())
                            .setCatchingUp(catchingUp.getOrDefault(entry.getWalId(), 0L))
                            .setProblem(status.problem()));
        }
        return response.build();
    }
}
