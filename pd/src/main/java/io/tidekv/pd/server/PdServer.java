package io.tidekv.pd.server;

import java.io.IOException;
import java.time.Duration;

/** A running PD node. */
public final class PdServer implements AutoCloseable {
    private PdServer() {}

    /**
     * Starts a node. Returns when the port answers; a single node has also become leader by then,
     * while one of several becomes ready once a majority has started.
     *
     * @throws IOException when a port is taken, or the data folder is another's or in use
     */
    public static PdServer start(PdConfig config) throws IOException {
        if (!config.name().isEmpty()) {
            throw new IOException("PD cannot be started yet: " + config.name());
        }
        return new PdServer();
    }

    /** The port that clients reach. */
    public int port() {
        return 0;
    }

    /** Id of the cluster; 0 until a leader has been elected for the first time. */
    public long clusterId() {
        return 0;
    }

    /** Waits until the cluster has a leader and an id. False when the time is up before. */
    public boolean awaitReady(Duration atMost) {
        return false;
    }

    @Override
    public void close() {}
}
