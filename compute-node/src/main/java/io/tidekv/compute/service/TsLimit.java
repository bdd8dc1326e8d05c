package io.tidekv.compute.service;

import io.tidekv.common.time.Clock;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.pd.TimestampSource;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.proto.kvrpcpb.KeyError;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Refuses timestamps from the future. A store remembers the highest timestamp that was read at and
 * commits above it: one that a minute's clocks cannot explain would put all later commits out of
 * everybody's sight. PD is asked before anything is refused. Thread-safe.
 */
final class TsLimit {
    /** TiKV's {@code max-drift}. */
    private static final long AHEAD_MS = 60_000;

    private static final int LOGICAL_BITS = 18;

    private final TimestampSource timestamps;
    private final Clock clock;
    private volatile long behindPdMs;

    TsLimit(TimestampSource timestamps, Clock clock) {
        this.timestamps = timestamps;
        this.clock = clock;
    }

    /** Goes on when no store can be harmed by {@code ts}, else answers an error. */
    <R> CompletableFuture<R> check(
            long ts, Supplier<CompletableFuture<R>> go, Function<KeyError, R> refused) {
        if (isPlausible(ts)) {
            return go.get();
        }
        return timestamps
                .next()
                .thenCompose(
                        now -> {
                            behindPdMs = Math.max(0, Ts.physical(now) - clock.wallMillis());
                            return isPlausible(ts)
                                    ? go.get()
                                    : CompletableFuture.completedFuture(
                                            refused.apply(
                                                    KeyErrors.abort(
                                                            "invalid max_ts update: the timestamp"
                                                                    + " is far in the future")));
                        });
    }

    private boolean isPlausible(long ts) {
        long most = clock.wallMillis() + behindPdMs + AHEAD_MS;
        return ts == Ts.MAX || Ts.atMost(ts, most << LOGICAL_BITS);
    }
}
