package io.tidekv.compute.txn;

import io.tidekv.compute.engine.WriteBatchBuilder;
import org.jspecify.annotations.Nullable;

/**
 * What a command comes to. The response is sent once the batch, if there is one, has been applied.
 */
public record Outcome<R>(R response, @Nullable WriteBatchBuilder batch) {
    public static <R> Outcome<R> of(R response) {
        return new Outcome<>(response, null);
    }

    static <R> Outcome<R> of(R response, MvccWriter writer) {
        return new Outcome<>(response, writer.batch().isEmpty() ? null : writer.batch());
    }
}
