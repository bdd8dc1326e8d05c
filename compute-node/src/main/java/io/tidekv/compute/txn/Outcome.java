package io.tidekv.compute.txn;

import io.tidekv.compute.engine.WriteBatchBuilder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a command comes to. The response is sent once the batch, if there is one, has been applied;
 * then those who wait for the released locks go on, and the memory locks are dropped, these also
 * when the batch fails.
 */
public record Outcome<R>(
        R response,
        @Nullable WriteBatchBuilder batch,
        List<Released> released,
        MemoryLocks memoryLocks) {
    public Outcome(R response, @Nullable WriteBatchBuilder batch) {
        this(response, batch, List.of(), MemoryLocks.NONE);
    }

    public static <R> Outcome<R> of(R response) {
        return new Outcome<>(response, null);
    }

    static <R> Outcome<R> of(R response, MvccWriter writer) {
        return of(response, writer, MemoryLocks.NONE);
    }

    static <R> Outcome<R> of(R response, MvccWriter writer, MemoryLocks memoryLocks) {
        return new Outcome<>(
                response,
                writer.batch().isEmpty() ? null : writer.batch(),
                writer.released(),
                memoryLocks);
    }
}
