package io.tidekv.cli.server;

import java.util.concurrent.CompletableFuture;

/** A role that has started in this process. Closing ends it in order and takes a bounded time. */
public interface RunningRole extends AutoCloseable {
    /** Id that PD gave: of the store or the WAL node; 0 for others. */
    long id();

    /** host:port that it serves on. */
    String address();

    /** host:port of its status pages; empty when it has none. */
    String statusAddress();

    /** Completes with the reason when the role has ended by itself; it serves nothing any more. */
    CompletableFuture<String> ended();

    @Override
    void close();
}
