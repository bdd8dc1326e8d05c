package io.tidekv.compute.region;

import io.tidekv.common.time.Clock;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.region.log.RegionLog;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/**
 * Reads of one region that found no lease and wait until a majority of the voters has confirmed the
 * regionLog. Belongs to the region's loop.
 */
final class ConfirmedReads {
    private static final int WAITING_MAX = 20_000;

    private record Waiting(
            long token,
            long version,
            Access access,
            long deadlineNanos,
            CompletableFuture<KvSnapshot> result) {}

    private final long regionId;
    private final long timeoutNanos;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

    ConfirmedReads(long regionId, long timeoutNanos) {
        this.regionId = regionId;
        this.timeoutNanos = timeoutNanos;
    }

    void add(
            RegionLog regionLog,
            long version,
            Access access,
            Clock.Reading now,
            CompletableFuture<KvSnapshot> result) {
        if (waiting.size() >= WAITING_MAX) {
            result.completeExceptionally(Failures.busy("too many reads wait for a quorum", 200));
            return;
        }
        try {
            long token = regionLog.requestConfirm(now);
            long deadline = now.monotonicNanos() + timeoutNanos;
            waiting.add(new Waiting(token, version, access, deadline, result));
        } catch (AppendRefused e) {
            result.completeExceptionally(Failures.notLeader(regionId));
        }
    }

    /** Answers those that are confirmed; all that was acknowledged before is applied by now. */
    void settle(RegionLog regionLog, RegionHandle handle, RegionHandle.Serving serving) {
        while (!waiting.isEmpty() && regionLog.confirmed(waiting.peek().token)) {
            Waiting read = waiting.remove();
            RuntimeException refusal = serving.refuse(handle, read.version, read.access);
            if (refusal != null) {
                read.result.completeExceptionally(refusal);
                continue;
            }
            KvSnapshot snapshot = serving.tablet().snapshot(serving.shape());
            if (!read.result.complete(snapshot)) {
                snapshot.close();
            }
        }
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    void expire(long nowNanos) {
        while (!waiting.isEmpty() && waiting.peek().deadlineNanos - nowNanos < 0) {
            waiting.remove()
                    .result
                    .completeExceptionally(
                            Failures.busy("no quorum of WAL nodes confirms the leader", 500));
        }
    }

    void abandon() {
        for (Waiting read = waiting.poll(); read != null; read = waiting.poll()) {
            read.result.completeExceptionally(Failures.notLeader(regionId));
        }
    }
}
