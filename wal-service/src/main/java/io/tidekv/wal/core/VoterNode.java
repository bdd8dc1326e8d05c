package io.tidekv.wal.core;

import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import org.jspecify.annotations.Nullable;

/**
 * All voters of a WAL node with the sessions of the owners. Pure and single-threaded: the caller
 * passes requests in the order of arrival, syncs the storage once for all it has handled, and then
 * sends the responses. Responses of requests that appended nothing (Renew, Read, refusals) may
 * leave as soon as what was appended before them is durable.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class VoterNode {
    /**
     * Recovers the voters from {@code storage}. A region that was not released refuses other owners
     * for the longest lease it ever promised, counted from {@code now}.
     *
     * @param firstSession random: a session of an earlier start must never be named again
     */
    public VoterNode(VoterStorage storage, VoterRules rules, long firstSession, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * Handles one request and returns its one response. Bad input gives an error response; nothing
     * is thrown but {@link io.tidekv.common.InvariantViolation}, after which this node must not be
     * used any more.
     *
     * @param sender the owner that said Hello on the connection
     */
    public WalResponse handle(Owner sender, WalRequest request, Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** Forgets lapsed sessions. Once a second is enough: nothing waits for it. */
    public void tick(Clock.Reading now) {
        throw new UnsupportedOperationException("under construction");
    }

    /** The region as it is now; null when it is unknown here. */
    public @Nullable VoterView view(long regionId) {
        throw new UnsupportedOperationException("under construction");
    }

    /** Number of regions. */
    public int regionCount() {
        throw new UnsupportedOperationException("under construction");
    }

    /**
     * True once the storage has failed: every request is answered STORAGE_FAILED, and the caller
     * builds a new node from a fresh recovery.
     */
    public boolean failed() {
        throw new UnsupportedOperationException("under construction");
    }
}
