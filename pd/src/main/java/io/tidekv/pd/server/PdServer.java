package io.tidekv.pd.server;

import io.grpc.Server;
import io.tidekv.common.Randomness;
import io.tidekv.common.Threads;
import io.tidekv.common.config.ConfigException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.ratis.RatisOptions;
import io.tidekv.pd.ratis.RatisStateLog;
import io.tidekv.pd.schedule.Coordinator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running PD node. */
public final class PdServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PdServer.class);
    private static final Duration ALONE_READY = Duration.ofSeconds(30);
    private static final long SNAPSHOT_EVERY = 20_000;

    /** What has been started; closed from the last to the first. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final CountDownLatch ready = new CountDownLatch(1);
    private final RatisStateLog stateLog;
    private final Beginning beginning;
    private final int port;

    private PdServer(PdConfig config) throws IOException {
        Clock clock = SystemClock.INSTANCE;
        try {
            Topology topology = Topology.of(config);
            DataDir dataDir = DataDir.open(Path.of(config.dataDir()), config.name());
            parts.push(dataDir);
            stateLog =
                    RatisStateLog.start(
                            new RatisOptions(
                                    config.name(),
                                    dataDir.raft(),
                                    topology.listenPeers(),
                                    topology.peers(),
                                    config.raft().electionTimeout(),
                                    SNAPSHOT_EVERY));
            parts.push(stateLog);
            ScheduledThreadPoolExecutor loop = Threads.timers("pd");
            // What the log still has to say while it closes is of no interest.
            loop.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
            parts.push(loop::shutdownNow);
            Services services = new Services(config, topology, stateLog, clock, loop);
            Server server = services.listen(topology.listen());
            parts.push(() -> stop(server));
            port = server.getPort();
            services.members().listening(topology.advertised(config, port));
            beginning =
                    new Beginning(
                            stateLog,
                            services.members(),
                            config,
                            clock,
                            Randomness.real(),
                            loop,
                            ready);
            stateLog.onLeadershipChange(() -> loop.execute(beginning::step));
            loop.scheduleWithFixedDelay(
                    () -> tick(services.coordinator()),
                    0,
                    Coordinator.TICK.toMillis(),
                    TimeUnit.MILLISECONDS);
            if (topology.peers().size() == 1) {
                awaitAlone();
            }
            log.info("PD {} answers on {}", config.name(), topology.advertised(config, port));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Starts a node. Returns when the port answers; a single node has also become leader by then,
     * while one of several becomes ready once a majority has started.
     *
     * @throws IOException when a port is taken, or the data folder is another's or in use
     * @throws ConfigException when settings contradict each other
     */
    public static PdServer start(PdConfig config) throws IOException {
        try {
            return new PdServer(config);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(String.valueOf(e.getMessage()), e);
        }
    }

    private void awaitAlone() throws IOException {
        if (!awaitReady(ALONE_READY)) {
            throw new IOException(
                    "PD has not become leader in "
                            + ALONE_READY.toSeconds()
                            + " s: is its disk slow?");
        }
        if (!beginning.refusal().isEmpty()) {
            throw new IOException(beginning.refusal());
        }
    }

    /** The port that clients reach. */
    public int port() {
        return port;
    }

    /** Id of the cluster; 0 until a leader has been elected for the first time. */
    public long clusterId() {
        return stateLog.read(PdState::clusterId);
    }

    /** True when this node leads and is ready to serve. */
    public boolean leading() {
        return stateLog.leadership().leading();
    }

    /**
     * Waits until this node is a known member of a cluster that has an id. False when the time is
     * up before.
     */
    public boolean awaitReady(Duration atMost) {
        try {
            return ready.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                log.warn("a part of PD did not stop cleanly", e);
            }
        }
    }

    private void tick(Coordinator coordinator) {
        try {
            beginning.step();
            coordinator.tick();
        } catch (RuntimeException e) {
            log.error("a tick of PD failed", e);
        }
    }

    private static void stop(Server server) throws InterruptedException {
        server.shutdownNow();
        server.awaitTermination(2, TimeUnit.SECONDS);
    }
}
