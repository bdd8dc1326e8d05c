package io.tidekv.compute.server;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.compute.deadlock.GrpcDetectorLink;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.grpc.CompactionsService;
import io.tidekv.compute.grpc.KvServices;
import io.tidekv.compute.pd.PdClient;
import io.tidekv.compute.pd.PdException;
import io.tidekv.compute.region.RegionStore;
import io.tidekv.compute.region.StoreEvents;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.tablet.rocks.RocksTabletStore;
import io.tidekv.objects.hydrate.CacheMetrics;
import io.tidekv.objects.hydrate.CacheOptions;
import io.tidekv.objects.hydrate.SstCache;
import io.tidekv.objects.store.MeteredObjectStore;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStoreException;
import io.tidekv.objects.store.ObjectStores;
import io.tidekv.objects.store.StoreContext;
import io.tidekv.objects.upload.PackOptions;
import io.tidekv.objects.upload.UploadMetrics;
import io.tidekv.objects.upload.UploadOptions;
import io.tidekv.objects.upload.Uploader;
import io.tidekv.objects.worker.CollectDuty;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.wal.client.GrpcWalLinks;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running compute process: registered with PD, leading the regions that PD assigns, serving
 * clients. Thread-safe.
 */
public final class ComputeServer implements AutoCloseable {
    /** TiKV's version whose clients' gates this store opens. */
    public static final String VERSION = "8.5.5";

    private static final Logger log = LoggerFactory.getLogger(ComputeServer.class);
    private static final Duration GARBAGE = Duration.ofSeconds(60);
    private static final Duration REGISTRATION = Duration.ofSeconds(60);

    private final Closing closing;
    private final long storeId;
    private final HostPort address;
    private final HostPort statusAddress;
    private final CompletableFuture<String> ended;

    private ComputeServer(
            Closing closing,
            long storeId,
            HostPort address,
            HostPort statusAddress,
            CompletableFuture<String> ended) {
        this.closing = closing;
        this.storeId = storeId;
        this.address = address;
        this.statusAddress = statusAddress;
        this.ended = ended;
    }

    /**
     * Starts all parts and returns once the store is registered and its ports are open; regions
     * follow when PD assigns them.
     *
     * @throws IOException saying what to do, when the data folder, a port, the object store or PD
     *     do not allow a start
     */
    public static ComputeServer start(ComputeConfig config) throws IOException {
        Closing closing = new Closing();
        try {
            return start(config, closing);
        } catch (IOException e) {
            closing.close();
            throw e;
        } catch (PdException | ObjectStoreException e) {
            closing.close();
            throw new IOException(e.getMessage(), e);
        } catch (RuntimeException e) {
            closing.close();
            throw e;
        }
    }

    /** The wiring; whatever is started is handed to {@code closing} at once. */
    private static ComputeServer start(ComputeConfig config, Closing closing) throws IOException {
        Clock clock = SystemClock.INSTANCE;
        StoreContext context = StoreContext.system();
        Metrics metrics = new Metrics();
        CompletableFuture<String> ended = new CompletableFuture<>();

        // Everything that can refuse the start comes before PD hears of this process.
        DataFolder folder = closing.add("data folder", DataFolder.open(config.dataDir()));
        HostPort address = Ports.free(config.addr(), "addr");
        HostPort statusAddress = Ports.free(config.statusAddr(), "status-addr");
        ObjectStore bucket =
                closing.add(
                        "object store",
                        new MeteredObjectStore(
                                ObjectStores.open(config.objectStore(), context),
                                metrics,
                                context.clock(),
                                config.prices()));
        probe(bucket);

        ThreadScheduler timers = closing.add("timers", new ThreadScheduler("compute-timer"));
        PdClient pd =
                closing.add("PD client", new PdClient(config.pd().endpoints(), clock, timers));
        RegisterStoreResponse registered =
                pd.register(registration(config, address, statusAddress, clock), REGISTRATION);
        long clusterId = registered.getClusterId();
        folder.belongTo(clusterId);
        log.info(
                "store {} of cluster {}, incarnation {}",
                registered.getOwner().getStoreId(),
                Long.toUnsignedString(clusterId),
                registered.getOwner().getIncarnation());

        ObjectStore objects = bucket.under(Long.toUnsignedString(clusterId));
        CacheOptions cacheOptions =
                CacheOptions.of(folder.cache(), config.cache().capacity().bytes());
        SstCache cache = closing.add("cache", SstCache.open(objects, cacheOptions, context));
        Uploader uploader =
                closing.add(
                        "uploader",
                        Uploader.packing(
                                objects,
                                cache,
                                UploadOptions.defaults(),
                                PackOptions.of(
                                        registered.getOwner().getStoreId(),
                                        registered.getOwner().getIncarnation()),
                                timers,
                                context));
        RocksTabletStore tablets =
                closing.add(
                        "tablets",
                        RocksTabletStore.open(
                                Options.tablets(config, folder, clusterId),
                                objects,
                                cache,
                                uploader,
                                timers,
                                context));
        CompactionBoard compactions = new CompactionBoard(config.compaction().options(), metrics);
        tablets.lendCompactions(compactions::isWanted, compactions.options().bytesMin());
        GrpcWalLinks wal =
                new GrpcWalLinks(clusterId, registered.getOwner(), timers, Randomness.real());
        RegionStore regions =
                closing.add(
                        "regions",
                        RegionStore.start(
                                new RegionStore.Parts(
                                        clusterId,
                                        registered.getOwner(),
                                        config.storage().apiMode(),
                                        Options.store(config),
                                        pd,
                                        wal,
                                        tablets,
                                        new DiskStats(folder.root()),
                                        metrics,
                                        clock,
                                        timers,
                                        endsWith(ended),
                                        compactions)));
        closing.add("garbage collection", collectGarbage(pd, tablets, regions, timers));
        StoreMetrics.register(metrics, regions);
        CacheMetrics.register(metrics, cache);
        UploadMetrics.register(metrics, uploader);
        TabletMetrics.register(metrics, tablets);

        if (config.gc().enabled()) {
            closing.add(
                    "collection of objects",
                    CollectDuty.start(
                            bucket,
                            clusterId,
                            config.gc().of(config.pd().endpoints()),
                            () -> leadsFirstRegion(regions),
                            timers,
                            context,
                            metrics));
        }
        ApiMode mode = ApiMode.of(config.storage().apiMode());
        KvServices services =
                closing.add(
                        "services",
                        KvServices.create(
                                regions,
                                pd.timestamps(),
                                KvSettings.of(mode),
                                clock,
                                timers,
                                metrics,
                                waits ->
                                        new GrpcDetectorLink(
                                                registered.getOwner().getStoreId(),
                                                () -> pd.leaderOf(ByteString.EMPTY),
                                                waits)));
        closing.add(
                "gRPC", serve(services, new CompactionsService(compactions, clusterId), address));
        closing.add(
                "status pages", StatusPages.start(config, services, regions, statusAddress, ended));
        return new ComputeServer(
                closing, registered.getOwner().getStoreId(), address, statusAddress, ended);
    }

    /** Asks PD now and then what old versions nobody needs. */
    private static AutoCloseable collectGarbage(
            PdClient pd, RocksTabletStore tablets, RegionStore regions, Scheduler timers) {
        Scheduler.Cancellable asking =
                timers.every(
                        GARBAGE,
                        () -> {
                            tablets.wakeEnded(regions::wake);
                            pd.gcSafePoint()
                                    .thenAccept(tablets::collectGarbage)
                                    .exceptionally(
                                            e -> {
                                                log.debug("no safe point: {}", e.toString());
                                                return null;
                                            });
                        });
        return asking::cancel;
    }

    /** Of all stores one does what is to be done once for the cluster. */
    private static boolean leadsFirstRegion(RegionStore regions) {
        return regions.reports().values().stream()
                .anyMatch(
                        region ->
                                region.getState() == RegionState.LEADING
                                        && region.getShape().getStartKey().isEmpty());
    }

    private static AutoCloseable serve(
            KvServices services, BindableService compactions, HostPort address) throws IOException {
        NettyServerBuilder builder = GrpcTransports.unwaitingServer(address);
        services.addTo(builder);
        builder.addService(compactions);
        Server server = builder.build().start();
        return () -> {
            server.shutdown();
            if (!server.awaitTermination(500, TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
            }
        };
    }

    private static RegisterStoreRequest registration(
            ComputeConfig config, HostPort address, HostPort statusAddress, Clock clock) {
        String advertised =
                config.advertiseAddr().isEmpty() ? address.toString() : config.advertiseAddr();
        return RegisterStoreRequest.newBuilder()
                .setAddress(advertised)
                .setStatusAddress(statusAddress.toString())
                .setVersion(VERSION)
                .setApiMode(config.storage().apiMode())
                .setStartTimestamp(clock.wallMillis() / 1000)
                .setDeployPath(config.dataDir().toAbsolutePath().toString())
                .build();
    }

    /** A store that is away for a while is no reason not to start; one that says no is. */
    private static void probe(ObjectStore bucket) {
        try {
            ObjectStores.probe(bucket);
        } catch (ObjectStoreException e) {
            if (e.kind() != ObjectStoreException.Kind.UNAVAILABLE) {
                throw e;
            }
            log.warn("the object store does not answer yet: {}", e.getMessage());
        }
    }

    private static StoreEvents endsWith(CompletableFuture<String> ended) {
        return new StoreEvents() {
            @Override
            public void onFenced(String reason) {
                ended.complete("another process has taken this store's place: " + reason);
            }

            @Override
            public void onFatal(String reason) {
                ended.complete(reason);
            }
        };
    }

    /** Id that PD has given to this store's address. */
    public long storeId() {
        return storeId;
    }

    /** host:port that it listens on. */
    public String address() {
        return address.toString();
    }

    /** host:port of the status HTTP server. */
    public String statusAddress() {
        return statusAddress.toString();
    }

    /**
     * Completes, with the reason, when the store has ended by itself and the process should: it
     * serves nothing any more.
     */
    public CompletableFuture<String> ended() {
        return ended.copy();
    }

    /** Hands its regions back, releases their leases and ends; takes a bounded time. */
    @Override
    public void close() {
        closing.close();
    }
}
