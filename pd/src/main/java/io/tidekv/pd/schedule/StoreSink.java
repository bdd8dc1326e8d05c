package io.tidekv.pd.schedule;

import io.tidekv.proto.cluster.StoreCommand;

/** The way to one store process. Called from the coordinator's thread only. */
public interface StoreSink {
    /** Sends, or drops when the store does not read: orders are repeated until they show effect. */
    void send(StoreCommand command);

    /** Ends the stream in order, after what has been sent. */
    void end();

    /** Ends the stream because this node does not lead any more. */
    void notLeader();
}
