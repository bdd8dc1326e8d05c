package io.tidekv.compute.grpc;

import io.grpc.BindableService;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.grpc.StrictDecoding;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.deadlock.ClusterDetector;
import io.tidekv.compute.deadlock.DetectorLink;
import io.tidekv.compute.deadlock.DetectorService;
import io.tidekv.compute.deadlock.DetectorTable;
import io.tidekv.compute.pd.TimestampSource;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.service.KvCore;
import io.tidekv.compute.service.KvSettings;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Everything that a store offers to TiKV's clients over one {@link RegionAccess}. Thread-safe.
 * Closing lets commands under way finish or fail and ends the pool; the regions stay open.
 */
public final class KvServices implements AutoCloseable {
    private final KvCore core;
    private final ClusterDetector detector;
    private final KvSettings settings;
    private final Metrics metrics;
    private final HealthStatusManager health = new HealthStatusManager();
    private final List<ServerServiceDefinition> services;

    private KvServices(
            KvCore core,
            ClusterDetector detector,
            DetectorTable waits,
            KvSettings settings,
            Clock clock,
            Metrics metrics) {
        this.core = core;
        this.detector = detector;
        this.settings = settings;
        this.metrics = metrics;
        InFlight inFlight = new InFlight(settings.inFlightBytes());
        KvMetrics kvMetrics = new KvMetrics(metrics, inFlight);
        Gate gate = new Gate(core.store().clusterId(), inFlight, clock, kvMetrics);
        TikvService tikv =
                new TikvService(
                        new CommandTable(core),
                        gate,
                        settings.connectionInFlightBytes(),
                        GrpcTransports::eventLoop);
        services =
                Stream.<BindableService>of(
                                tikv,
                                new DebugService(core.store(), settings.mode()),
                                new DetectorService(waits),
                                new StatesService(core.moments(), core.store().clusterId()),
                                health.getHealthService())
                        .map(service -> StrictDecoding.of(service.bindService()))
                        .toList();
    }

    /**
     * The services of a store. Nothing runs before the first request; timers go to {@code
     * scheduler}.
     *
     * @param timestamps for writes that need one of their own, and one for each region that comes
     *     here
     * @param links makes the way to the store that detects deadlocks; given this store's own table
     *     of waits, for the time when that is itself
     */
    public static KvServices create(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler,
            Metrics metrics,
            Function<DetectorTable, DetectorLink> links) {
        DetectorTable waits = new DetectorTable(() -> leadsFirst(regions), scheduler);
        ClusterDetector detector = new ClusterDetector(links.apply(waits), scheduler);
        KvCore core = new KvCore(regions, timestamps, settings, clock, scheduler, detector);
        return new KvServices(core, detector, waits, settings, clock, metrics);
    }

    /** The leader of the first region detects deadlocks for the cluster, as in TiKV. */
    private static boolean leadsFirst(RegionAccess regions) {
        List<RegionAccess.Region> led = regions.regions();
        return !led.isEmpty() && led.get(0).shape().getStartKey().isEmpty();
    }

    /**
     * Adds tikvpb.Tikv, debugpb.Debug, deadlock.Deadlock, tidekv.states.RegionStates and
     * grpc.health.v1.Health to the store's gRPC server, which then keeps an account of each
     * connection.
     */
    public void addTo(ServerBuilder<?> server) {
        services.forEach(server::addService);
        server.addTransportFilter(UnsentAnswers.filter());
    }

    /**
     * Adds the store's status pages: {@code /status /config /metrics /health /ready}.
     *
     * @param toml settings in force, for {@code /config}
     * @param status what {@code /status} shows, as Jackson can write it
     * @param problem why the store cannot serve at present; empty when it can
     */
    public void addPages(
            StatusServer.Builder pages,
            Supplier<String> toml,
            Supplier<?> status,
            Supplier<String> problem) {
        StorePages.add(pages, settings.mode(), metrics, toml, status, problem);
    }

    /** Tells health checks that this store takes no more requests. */
    public void drain() {
        health.setStatus("", ServingStatus.NOT_SERVING);
    }

    @Override
    public void close() {
        drain();
        core.close();
        detector.close();
    }
}
