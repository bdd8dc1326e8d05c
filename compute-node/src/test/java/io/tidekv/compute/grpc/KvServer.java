package io.tidekv.compute.grpc;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.deadlock.GrpcDetectorLink;
import io.tidekv.compute.pd.Place;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** A whole store over memory behind a real gRPC server. */
public final class KvServer implements AutoCloseable {
    public static final long CLUSTER = 7001;
    public static final long STORE = 1;

    public final ManualClock clock = new ManualClock();
    public final Metrics metrics = new Metrics();
    public final MemoryRegions regions;
    public final ManagedChannel channel;
    private final AtomicLong logical = new AtomicLong();
    private final ThreadScheduler scheduler = new ThreadScheduler("test-timers");
    private final KvServices services;
    private final Server server;
    private final StatusServer pages;

    public KvServer(KvSettings settings) {
        this(settings, new MemoryRegions(CLUSTER, STORE));
    }

    public KvServer(KvSettings settings, MemoryRegions regions) {
        this(
                settings,
                regions,
                () ->
                        CompletableFuture.completedFuture(
                                new Place(regions.storeId(), "it is the store itself")));
    }

    /**
     * @param detector where the store that detects deadlocks is
     */
    public KvServer(
            KvSettings settings,
            MemoryRegions regions,
            Supplier<CompletableFuture<Place>> detector) {
        this.regions = regions;
        services =
                KvServices.create(
                        regions,
                        () -> CompletableFuture.completedFuture(timestamp()),
                        settings,
                        clock,
                        scheduler,
                        metrics,
                        waits -> new GrpcDetectorLink(regions.storeId(), detector, waits));
        ServerBuilder<?> builder = GrpcTransports.unwaitingServer(HostPort.parse("127.0.0.1:0"));
        services.addTo(builder);
        try {
            server = builder.build().start();
            StatusServer.Builder routes = StatusServer.builder();
            services.addPages(routes, () -> "", () -> Map.of("store_id", STORE), () -> "");
            pages = routes.start(HostPort.parse("127.0.0.1:0"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        channel = GrpcTransports.channel("127.0.0.1:" + server.getPort()).build();
    }

    /** host:port that clients and other stores call. */
    public String address() {
        return "127.0.0.1:" + server.getPort();
    }

    /** Where the status pages are. */
    public String statusUrl() {
        return "http://127.0.0.1:" + pages.port();
    }

    /** As PD gives them. */
    public long timestamp() {
        return (clock.wallMillis() << 18) + logical.incrementAndGet();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
        pages.close();
        services.close();
        scheduler.close();
    }
}
