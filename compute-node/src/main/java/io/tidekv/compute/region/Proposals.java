package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.region.log.RegionLog;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.proto.region.EntryKind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * The writes of one region: those that wait for the log, and those in it that are not yet applied.
 * Writes that wait together become one entry. Belongs to the region's loop.
 */
final class Proposals {
    private record InFlight(long index, List<Proposal> writes) {}

    private final long regionId;
    private final long joinBytes;
    private final LongFunction<RuntimeException> wrongVersion;
    private final ArrayDeque<Proposal> queue = new ArrayDeque<>();
    private final ArrayDeque<InFlight> inFlight = new ArrayDeque<>();
    private boolean paused;

    /** {@code wrongVersion} words the refusal of a write made for a version. */
    Proposals(long regionId, long joinBytes, LongFunction<RuntimeException> wrongVersion) {
        this.regionId = regionId;
        this.joinBytes = joinBytes;
        this.wrongVersion = wrongVersion;
    }

    void add(Proposal write) {
        queue.add(write);
    }

    /** Holds new writes back, for a moment. */
    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
    }

    boolean isPaused() {
        return paused;
    }

    /** Whether nobody waits for anything. */
    boolean isEmpty() {
        return queue.isEmpty() && inFlight.isEmpty();
    }

    /** Whether everything that the log took has been applied. */
    boolean isDrained() {
        return inFlight.isEmpty();
    }

    /** Gives the log what it takes. {@code state} is the region's at present. */
    void submit(RegionLog regionLog, RegionState state) {
        while (!paused && !queue.isEmpty()) {
            List<Proposal> joined = next(state);
            if (joined.isEmpty()) {
                continue;
            }
            List<ByteString> batches = new ArrayList<>();
            joined.forEach(write -> batches.add(write.data()));
            try {
                long index = regionLog.append(EntryKind.WRITE, BatchBytes.join(batches));
                inFlight.add(new InFlight(index, joined));
            } catch (AppendRefused e) {
                if (!refused(joined, e)) {
                    return;
                }
            }
        }
    }

    /** The writes for the next entry; those that the region does not take are refused. */
    private List<Proposal> next(RegionState state) {
        long version = state.shape().getVersion();
        List<Proposal> joined = new ArrayList<>();
        long bytes = 0;
        for (Proposal write = queue.peek(); write != null; write = queue.peek()) {
            if (write.version() != version) {
                queue.remove();
                write.result().completeExceptionally(wrongVersion.apply(write.version()));
                continue;
            }
            if (!write.access().isAllowed(state.flashbackStartTs())) {
                queue.remove();
                write.result()
                        .completeExceptionally(
                                Failures.flashback(regionId, state.flashbackStartTs()));
                continue;
            }
            if (!joined.isEmpty() && bytes + write.data().size() > joinBytes) {
                break;
            }
            bytes += write.data().size();
            joined.add(queue.remove());
        }
        return joined;
    }

    /** False when the writes wait on, and those behind them. */
    private boolean refused(List<Proposal> joined, AppendRefused e) {
        switch (e.reason()) {
            case FULL -> {
                for (int i = joined.size() - 1; i >= 0; i--) {
                    queue.addFirst(joined.get(i));
                }
                return false;
            }
            case TOO_LARGE, NOT_ALLOWED ->
                    joined.forEach(
                            write ->
                                    write.result()
                                            .completeExceptionally(
                                                    Failures.tooLarge(
                                                            regionId,
                                                            write.data().size(),
                                                            joinBytes)));
            case NOT_LEADING ->
                    joined.forEach(
                            write ->
                                    write.result()
                                            .completeExceptionally(Failures.notLeader(regionId)));
        }
        return true;
    }

    /** Everything up to {@code index} has been applied: acknowledges it. */
    void applied(long index, long nowNanos, RegionMetrics metrics) {
        while (!inFlight.isEmpty() && inFlight.peek().index <= index) {
            for (Proposal write : inFlight.remove().writes) {
                metrics.written(nowNanos - write.arrivedNanos());
                write.result().complete(null);
            }
        }
    }

    /** Ends the wait of those whose time is over; what is in the log may still be applied. */
    void expire(long nowNanos) {
        while (!queue.isEmpty() && queue.peek().deadlineNanos() - nowNanos < 0) {
            queue.remove()
                    .result()
                    .completeExceptionally(Failures.busy("the write waited for too long", 500));
        }
        for (InFlight entry : inFlight) {
            if (entry.writes.get(0).deadlineNanos() - nowNanos >= 0) {
                break;
            }
            entry.writes.forEach(
                    write -> write.result().completeExceptionally(Failures.undetermined(regionId)));
        }
    }

    /** Refuses what the log has not taken: it has no effect. */
    void refuseQueued() {
        for (Proposal write = queue.poll(); write != null; write = queue.poll()) {
            write.result().completeExceptionally(Failures.notLeader(regionId));
        }
    }

    /** The term is over: what was under way may be in the log or not. */
    void abandon() {
        refuseQueued();
        for (InFlight entry = inFlight.poll(); entry != null; entry = inFlight.poll()) {
            entry.writes.forEach(
                    write -> write.result().completeExceptionally(Failures.undetermined(regionId)));
        }
    }
}
