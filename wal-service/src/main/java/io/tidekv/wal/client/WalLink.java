package io.tidekv.wal.client;

import io.tidekv.proto.wal.TailResponse;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.util.List;

/**
 * The connection of one compute process to one WAL node. It connects and reconnects by itself, with
 * back-off. There is no resend here: what was under way when a connection broke is reported lost,
 * and the region leaders decide what to send again.
 */
public interface WalLink extends AutoCloseable {
    long walId();

    /**
     * Sends requests in this order. Thread-safe; does not block. Returns false, having sent
     * nothing, while there is no connection or the bytes under way have reached their bound.
     */
    boolean send(List<WalRequest> requests);

    /**
     * Follows the committed entries of a region from {@code fromIndex} on, as the node learns that
     * they are committed. One response comes unasked, each further one after {@link
     * Following#next}, so a slow reader slows nobody. Ends with the connection.
     */
    Following follow(long regionId, long fromIndex, Follower follower);

    /** Ends the connection; no callbacks follow. */
    @Override
    void close();

    /** Called on the link's thread, one call at a time; must be short. */
    interface Listener {
        /** A new connection is ready; nothing of an earlier one will be answered any more. */
        void onConnected(long walId);

        /**
         * The connection is gone, and with it all requests without a response: their effect is
         * unknown.
         */
        void onDisconnected(long walId, String reason);

        void onResponses(long walId, List<WalResponse> responses);
    }

    /** A stream of committed entries. Thread-safe. */
    interface Following extends AutoCloseable {
        /** Asks for the next response. */
        void next();

        /** Ends it; callbacks under way may still come. */
        @Override
        void close();
    }

    /** Called on the link's thread, one call at a time; must be short. */
    interface Follower {
        void onEntries(TailResponse response);

        /** Nothing follows: the node does not know the region, or cannot be reached. */
        void onEnd(String reason);
    }

    /** Makes links; the real one speaks gRPC, the twin calls voters in memory. */
    interface Factory {
        WalLink connect(long walId, String address, Listener listener);
    }
}
