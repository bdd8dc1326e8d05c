package io.tidekv.pd.server;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.grpc.StrictDecoding;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.pd.grpc.ClusterPages;
import io.tidekv.pd.grpc.ClusterService;
import io.tidekv.pd.grpc.EtcdServices;
import io.tidekv.pd.grpc.KeyspaceService;
import io.tidekv.pd.grpc.MetaStorageService;
import io.tidekv.pd.grpc.OperatorCalls;
import io.tidekv.pd.grpc.PdService;
import io.tidekv.pd.grpc.SafePointCalls;
import io.tidekv.pd.grpc.Splits;
import io.tidekv.pd.grpc.StoreCalls;
import io.tidekv.pd.http.Pages;
import io.tidekv.pd.http.Router;
import io.tidekv.pd.keyspace.Keyspaces;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Members;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.routing.StoreInfos;
import io.tidekv.pd.schedule.Coordinator;
import io.tidekv.pd.schedule.LiveView;
import io.tidekv.pd.tso.TsoService;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/** Everything that answers on PD's port, wired together. */
final class Services {
    /** Reports of 100 000 regions fit in. */
    private static final int MESSAGE_BYTES_MAX = 64 << 20;

    /** For the borders of a new keyspace, which may as well stay inside a region. */
    private static final Duration SPLIT_AT_MOST = Duration.ofSeconds(30);

    private final Members members;
    private final Coordinator coordinator;
    private final List<BindableService> services = new ArrayList<>();
    private final Router router;

    Services(PdConfig config, Topology topology, StateLog log, Clock clock, Executor loop) {
        members = new Members(log, config.name(), topology.peerUrl(config.name()));
        coordinator = new Coordinator(log, clock, config.schedule(), loop);
        LiveView live = coordinator.live();
        Routing routing = new Routing(log, live);
        Splits splits = new Splits(coordinator, routing);
        Keyspaces keyspaces =
                new Keyspaces(log, clock, borders -> splits.many(borders, SPLIT_AT_MOST));
        // Well below the shortest election, so that clocks may differ in speed.
        Duration confirmedFor = config.raft().electionTimeout().dividedBy(2);
        TsoService tso = new TsoService(log, clock, confirmedFor);
        services.add(
                new PdService(
                        log,
                        members,
                        routing,
                        tso,
                        new StoreCalls(log, new StoreInfos(live)),
                        new SafePointCalls(log, tso, clock),
                        new OperatorCalls(log, coordinator, routing, splits)));
        services.add(
                new ClusterService(
                        log,
                        coordinator,
                        new ClusterPages(log, live, routing, members, clock),
                        splits));
        services.add(new KeyspaceService(log, keyspaces));
        services.addAll(new EtcdServices(log, members).all());
        services.add(new MetaStorageService(log));
        services.add(new HealthStatusManager().getHealthService());
        Metrics metrics = metrics(log, live, routing, tso);
        router =
                Pages.router(
                        log,
                        live,
                        routing,
                        members,
                        metrics,
                        clock,
                        keyspaces,
                        ConfigPage.of(config, topology));
    }

    Members members() {
        return members;
    }

    Coordinator coordinator() {
        return coordinator;
    }

    /** The handlers do not block, so they run on the event loops. */
    Server listen(HostPort address) throws IOException {
        NettyServerBuilder builder =
                GrpcTransports.server(address)
                        .directExecutor()
                        .maxInboundMessageSize(MESSAGE_BYTES_MAX)
                        .protocolNegotiator(new OnePort(router));
        services.forEach(service -> builder.addService(StrictDecoding.of(service.bindService())));
        try {
            return builder.build().start();
        } catch (IOException e) {
            throw new IOException(
                    "PD cannot listen on "
                            + address
                            + " (client-urls): is another PD or playground running? "
                            + e.getCause(),
                    e);
        }
    }

    private static Metrics metrics(StateLog log, LiveView live, Routing routing, TsoService tso) {
        Metrics metrics = new Metrics();
        metrics.gauge(
                "tidekv_pd_leading",
                "1 while this node leads.",
                () -> log.leadership().leading() ? 1 : 0);
        metrics.gauge("tidekv_pd_regions", "Regions.", routing::count);
        metrics.gauge(
                "tidekv_pd_regions_serving",
                "Regions that their owner serves.",
                () -> routing.all().stream().filter(r -> r.leading()).count());
        metrics.gauge(
                "tidekv_pd_stores_up",
                "Stores that report.",
                () ->
                        log.read(
                                s ->
                                        s.stores().stream()
                                                .filter(e -> up(live, e.getStoreId()))
                                                .count()));
        metrics.gauge(
                "tidekv_pd_commands",
                "Commands applied so far.",
                () -> log.read(s -> s.revision()));
        metrics.gauge("tidekv_pd_timestamps", "Timestamps given out by this node.", tso::issued);
        return metrics;
    }

    private static boolean up(LiveView live, long storeId) {
        LiveView.StoreStatus status = live.store(storeId);
        return status != null && status.alive();
    }
}
