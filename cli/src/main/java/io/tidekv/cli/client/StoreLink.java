package io.tidekv.cli.client;

import java.util.concurrent.CompletableFuture;

/** The way to one store. Thread-safe. */
interface StoreLink extends AutoCloseable {
    /** Sends one command. Fails with a StatusRuntimeException when no answer comes in time. */
    <Q, A> CompletableFuture<A> send(Command<Q, A> command, Q request);

    /** Connects at the next command, even if many attempts have failed and gRPC would wait. */
    void connectSoon();

    @Override
    void close();
}
