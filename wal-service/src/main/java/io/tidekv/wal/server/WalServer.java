package io.tidekv.wal.server;

import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.ConfigException;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.config.Settings;
import io.tidekv.common.grpc.OwnLoops;
import io.tidekv.common.http.StatusServer;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.wal.archive.Archiver;
import io.tidekv.wal.grpc.WalEndpoint;
import io.tidekv.wal.service.ServiceOptions;
import io.tidekv.wal.service.VoterService;
import io.tidekv.wal.storage.DiskWalFiles;
import io.tidekv.wal.storage.IdentityFile;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.NodeStorage;
import io.tidekv.wal.storage.StorageOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running WAL node. A node whose folder knows its cluster serves at once; a new one serves as
 * soon as PD has registered it.
 */
public final class WalServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(WalServer.class);

    /** The largest entry of a leader and what a link puts beside it, and not much more. */
    private static final int MESSAGE_BYTES_MAX = 72 << 20;

    private final Closing closing = new Closing();
    private final CountDownLatch registered = new CountDownLatch(1);
    private final HealthStatusManager health = new HealthStatusManager();
    private final IdentityFile identityFile;
    private final @Nullable Archiver archiver;
    private final VoterService service;
    private final NodePages pages;
    private final PdMembership membership;
    private final int port;
    private final int statusPort;
    private volatile NodeIdentity identity;

    private WalServer(WalConfig config) throws IOException {
        try {
            closing.add("the lock of the folder", FolderLock.take(config.dataDir()));
            DiskWalFiles files = new DiskWalFiles(config.dataDir());
            identityFile = new IdentityFile(files);
            identity = identityFile.open(Randomness.real());
            Metrics metrics = new Metrics();
            archiver = ArchiveStart.open(config, () -> identity, metrics);
            if (archiver != null) {
                closing.add("the archive", archiver);
            }
            service = startService(config, files, metrics);
            closing.add("the writer", service);
            port = listen(config);
            // Closed before gRPC is, so that what has been submitted is still answered.
            closing.add("what waits for the writer", service);
            ThreadScheduler timers = new ThreadScheduler("wal-pd");
            pages = new NodePages(service, archiver, metrics, () -> Settings.render(config));
            membership =
                    new PdMembership(
                            config.pdEndpoints(),
                            config.advertised(port),
                            config.zone(),
                            new Membership(),
                            timers);
            statusPort = startPages(config);
            closing.add("the contact with PD", membership);
            closing.add("timers", timers);
            membership.start();
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Opens the folder and listens; registration at PD goes on in the background until it succeeds.
     *
     * @throws IOException when a port is taken or the folder cannot be used; says what to do
     */
    public static WalServer start(WalConfig config) throws IOException {
        if (config.pdEndpoints().isEmpty()) {
            throw new ConfigException("pd-endpoints is empty: name at least one member of PD");
        }
        WalServer server = new WalServer(config);
        log.info("WAL node at {}, data in {}", config.advertised(server.port), config.dataDir());
        return server;
    }

    private VoterService startService(WalConfig config, DiskWalFiles files, Metrics metrics)
            throws IOException {
        StorageOptions storage =
                new StorageOptions(
                        config.storage().segmentSize().bytes(),
                        config.storage().reservedSpace().bytes());
        ServiceOptions options =
                new ServiceOptions(
                        config.queues().requestBytes().bytes(), config.queues().syncMarkDelay());
        PdBounds bounds = new PdBounds(config.pdEndpoints(), () -> identity);
        NodeStorage node = new NodeStorage(files, identity.uuid(), storage, bounds);
        return VoterService.start(
                "wal-writer",
                node.open(),
                options,
                SystemClock.INSTANCE,
                Randomness.real(),
                metrics,
                node::reopen,
                archiver);
    }

    private int listen(WalConfig config) throws IOException {
        OwnLoops loops = new OwnLoops("wal-net", 2);
        closing.add("event loops", loops);
        WalEndpoint endpoint = new WalEndpoint(service, () -> identity, loops::current);
        try {
            Server server =
                    loops.server(config.addr())
                            .directExecutor()
                            .maxInboundMessageSize(MESSAGE_BYTES_MAX)
                            .addService(endpoint.decoding())
                            .addService(health.getHealthService())
                            .build()
                            .start();
            closing.add("gRPC", () -> shutDown(server));
            return server.getPort();
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen at addr = "
                            + config.addr()
                            + ": "
                            + rootMessage(e)
                            + ". Is another process there? Choose another port",
                    e);
        }
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    private void shutDown(Server server) throws InterruptedException {
        health.enterTerminalState();
        server.shutdownNow();
        if (!server.awaitTermination(2, TimeUnit.SECONDS)) {
            log.warn("gRPC did not end in time");
        }
    }

    private int startPages(WalConfig config) throws IOException {
        if (config.statusAddr().isEmpty()) {
            return 0;
        }
        HostPort address;
        try {
            address = HostPort.parse(config.statusAddr());
        } catch (IllegalArgumentException e) {
            throw new ConfigException("status-addr: expected " + e.getMessage(), e);
        }
        try {
            StatusServer server = pages.start(address, () -> identity, this::problem);
            closing.add("the status pages", server);
            return server.port();
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen at status-addr = " + address + ": " + rootMessage(e), e);
        }
    }

    /** The port that compute nodes reach. */
    public int port() {
        return port;
    }

    /** The port of the status pages; 0 when there are none. */
    public int statusPort() {
        return statusPort;
    }

    /** The id that PD gave to this folder; 0 until it has. */
    public long walId() {
        return identity.walId();
    }

    /** Waits until PD has answered this process. False when the time is up before. */
    public boolean awaitRegistered(Duration atMost) throws InterruptedException {
        return registered.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Why this node does not serve; empty when it does. */
    public String problem() {
        if (!service.problem().isEmpty()) {
            return service.problem();
        } else if (!membership.refusal().isEmpty()) {
            return membership.refusal();
        } else if (service.isFull()) {
            return "the disk is full: free space in the folder's file system";
        }
        return identity.registered() ? "" : "not registered at PD yet";
    }

    /** Answers what has been handled, then ends. */
    @Override
    public void close() {
        closing.close();
    }

    /** What {@link PdMembership} knows and changes of this node. */
    private final class Membership implements PdMembership.Node {
        @Override
        public NodeIdentity identity() {
            return identity;
        }

        @Override
        public void registered(NodeIdentity newIdentity) throws IOException {
            if (!newIdentity.equals(identity)) {
                identityFile.write(newIdentity);
                identity = newIdentity;
            }
            registered.countDown();
        }

        @Override
        public long regions() {
            return pages.status().regions();
        }

        @Override
        public long segmentBytes() {
            return pages.status().storage().segmentBytes();
        }

        @Override
        public long learners() {
            return pages.status().learners();
        }

        @Override
        public void beat() {
            health.setStatus(
                    HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
                    problem().isEmpty() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
        }
    }
}
