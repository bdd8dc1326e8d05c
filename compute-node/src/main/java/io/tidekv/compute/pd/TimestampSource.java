package io.tidekv.compute.pd;

import java.util.concurrent.CompletableFuture;

/** Timestamps of the cluster. Thread-safe; does not block. */
public interface TimestampSource {
    /**
     * A timestamp greater than every one handed out before this call, by anybody: physical
     * milliseconds shifted left by 18 bits, plus a logical part. Fails with a {@link
     * io.tidekv.common.error.KvException} (DeadlineExceeded) when PD cannot be reached in time.
     */
    CompletableFuture<Long> next();

    /** Timestamps {@code first} to {@code last}, which nobody else has or gets. */
    record Range(long first, long last) {}

    /** As {@link #next}: between one and {@code most} timestamps that follow each other. */
    default CompletableFuture<Range> range(int most) {
        return next().thenApply(ts -> new Range(ts, ts));
    }
}
