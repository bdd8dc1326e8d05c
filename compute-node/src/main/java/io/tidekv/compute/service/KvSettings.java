package io.tidekv.compute.service;

import io.tidekv.compute.engine.ApiMode;
import java.time.Duration;

/**
 * What bounds the key-value services.
 *
 * @param mode layout of the cluster's keys and values
 * @param workers threads for reads that may block; they end when idle
 * @param workersQueued commands that may wait for a thread before ServerIsBusy
 * @param latchesWaiting commands that may wait for a key before ServerIsBusy
 * @param inFlightBytes requests being served, in bytes of their messages, over all connections
 * @param connectionInFlightBytes the same for one connection
 * @param responseBytes a larger answer of a read is refused
 * @param entryBytes a larger write is refused, as TiKV does
 * @param lockWait how long a client waits for a lock that asks for no time, or for more; TiKV's
 *     {@code pessimistic-txn.wait-for-lock-timeout}
 */
public record KvSettings(
        ApiMode mode,
        int workers,
        int workersQueued,
        int latchesWaiting,
        long inFlightBytes,
        long connectionInFlightBytes,
        long responseBytes,
        long entryBytes,
        Duration lockWait) {
    private static final Duration LOCK_WAIT = Duration.ofSeconds(1);

    /** Defaults for a cluster in {@code mode}. */
    public static KvSettings of(ApiMode mode) {
        return new KvSettings(
                mode, 4, 8192, 65_536, 128L << 20, 32L << 20, 64L << 20, 8L << 20, LOCK_WAIT);
    }

    /** The same with another bound of the bytes of requests, of one connection, or an answer. */
    public KvSettings withBytes(long inFlight, long connection, long response) {
        return new KvSettings(
                mode,
                workers,
                workersQueued,
                latchesWaiting,
                inFlight,
                connection,
                response,
                entryBytes,
                lockWait);
    }

    /** The same with another bound of a write. */
    public KvSettings withEntryBytes(long most) {
        return new KvSettings(
                mode,
                workers,
                workersQueued,
                latchesWaiting,
                inFlightBytes,
                connectionInFlightBytes,
                responseBytes,
                most,
                lockWait);
    }

    /** The same with another bound of lock waits. */
    public KvSettings withLockWait(Duration most) {
        return new KvSettings(
                mode,
                workers,
                workersQueued,
                latchesWaiting,
                inFlightBytes,
                connectionInFlightBytes,
                responseBytes,
                entryBytes,
                most);
    }
}
