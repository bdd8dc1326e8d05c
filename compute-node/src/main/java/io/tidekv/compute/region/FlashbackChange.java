package io.tidekv.compute.region;

import io.tidekv.common.error.KvException;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.proto.region.EntryKind;
import io.tidekv.proto.region.Flashback;
import java.util.concurrent.CompletableFuture;

/**
 * Shuts a region for a flashback, or opens it again. New writes are held until the entry is
 * applied, so that in the log all that was let in before stands before it. Belongs to the region's
 * loop.
 */
final class FlashbackChange {
    private final LedRegion led;
    private final long startTs;
    private final long deadlineNanos;
    private final CompletableFuture<Void> result;
    private long proposedIndex;
    private boolean over;

    FlashbackChange(
            LedRegion led, long startTs, long deadlineNanos, CompletableFuture<Void> result) {
        this.led = led;
        this.startTs = startTs;
        this.deadlineNanos = deadlineNanos;
        this.result = result;
        led.proposals().pause();
    }

    boolean isOver() {
        return over;
    }

    /** Proposes the entry, when the log takes it. */
    void submit() {
        if (over || proposedIndex != 0) {
            return;
        }
        try {
            proposedIndex =
                    led.regionLog()
                            .append(
                                    EntryKind.FLASHBACK,
                                    Flashback.newBuilder()
                                            .setStartTs(startTs)
                                            .build()
                                            .toByteString());
        } catch (AppendRefused e) {
            if (e.reason() != AppendRefused.Reason.FULL) {
                fail(Failures.notLeader(led.regionLog().regionId()));
            }
        }
    }

    /** An entry of this kind was applied. */
    void applied(long index) {
        if (!over && index == proposedIndex) {
            over = true;
            led.proposals().resume();
            result.complete(null);
        }
    }

    /** Ends the caller's wait; what the log has taken holds writes until it is applied. */
    void tick(long nowNanos) {
        if (over || nowNanos - deadlineNanos < 0) {
            return;
        }
        if (proposedIndex == 0) {
            fail(Failures.busy("the log does not take the start of a flashback", 500));
        } else {
            result.completeExceptionally(Failures.undetermined(led.regionLog().regionId()));
        }
    }

    /** Repeating it is harmless, so callers are told to do that. */
    void fail(KvException error) {
        if (!over) {
            over = true;
            led.proposals().resume();
            result.completeExceptionally(error);
        }
    }
}
