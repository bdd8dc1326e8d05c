package io.tidekv.pd.log;

import io.tidekv.pd.core.PdState;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.Result;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** The replicated state. Thread-safe. */
public interface StateLog extends AutoCloseable {
    /**
     * Replicates and applies a command. Completes with its result once it is durable on a majority
     * and applied here, or fails with {@link NotLeaderException}, after which it may or may not
     * take effect. Dependent actions must be short: they run on the log's own thread.
     */
    CompletableFuture<Result> submit(Command command);

    /**
     * Reads the state as far as it is applied here. {@code reader} must neither keep the state nor
     * block.
     */
    <T> T read(Function<PdState, T> reader);

    /** Whether this node leads, as far as it knows. */
    Leadership leadership();

    /**
     * Completes when a majority has confirmed, after the call, that this node leads; fails with
     * {@link NotLeaderException} otherwise.
     */
    CompletableFuture<Void> confirmLeadership();

    /** Tells {@code listener} after every change; from the log's own threads. */
    void onLeadershipChange(Runnable listener);

    @Override
    void close();
}
