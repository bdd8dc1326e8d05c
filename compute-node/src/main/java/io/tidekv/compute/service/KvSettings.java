package io.tidekv.compute.service;

/**
 * What bounds the key-value services.
 *
 * @param mode layout of the cluster's keys and values
 * @param workers threads for reads that may block; they end when idle
 * @param workersQueued commands that may wait for a thread before ServerIsBusy
 * @param latchesWaiting commands that may wait for a key before ServerIsBusy
 * @param inFlightBytes requests being served, in bytes of their messages, over all connections
 * @param connectionInFlightBytes the same for one connection
 * @param responseBytes where a scan stops; the client continues behind the last key
 */
public record KvSettings(
        ApiMode mode,
        int workers,
        int workersQueued,
        int latchesWaiting,
        long inFlightBytes,
        long connectionInFlightBytes,
        long responseBytes) {
    /** Defaults for a cluster in {@code mode}. */
    public static KvSettings of(ApiMode mode) {
        return new KvSettings(mode, 4, 8192, 65_536, 512L << 20, 128L << 20, 32L << 20);
    }
}
