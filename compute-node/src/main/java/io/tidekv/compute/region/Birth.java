package io.tidekv.compute.region;

import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.log.AppendRefused;
import io.tidekv.compute.tablet.PreparedRecord;
import io.tidekv.proto.region.EntryKind;

/**
 * The first duty of a region that a split has made: to publish a record of its own, for until then
 * it lives on its parent's log, which cannot be trimmed. An empty write begins its log, so that the
 * record covers an entry. Belongs to the region's loop.
 */
final class Birth {
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final RegionEnv env;
    private final RegionPeer peer;
    private final LedRegion led;
    private boolean done;
    private long proposedIndex;
    private long retryNanos;

    Birth(RegionEnv env, RegionPeer peer, LedRegion led) {
        this.env = env;
        this.peer = peer;
        this.led = led;
        this.done = led.tablet().base() == null;
        this.retryNanos = env.nowNanos();
    }

    /** The same for a region that has never published because nobody has written to it. */
    void begin() {
        done = false;
        advance();
    }

    boolean isDone() {
        return done;
    }

    /** Goes on, if there is anything left to do. */
    void advance() {
        if (done) {
            return;
        }
        PreparedRecord base = led.tablet().base();
        if (base != null && base.record().getAppliedIndex() > 0) {
            done = true;
        } else if (proposedIndex == 0) {
            propose();
        } else if (led.tablet().applied().index() >= proposedIndex
                && led.publication().isIdle()
                && env.nowNanos() - retryNanos >= 0) {
            retryNanos = env.nowNanos() + RETRY_NANOS;
            led.publication().request(error -> {});
        }
    }

    private void propose() {
        try {
            proposedIndex =
                    led.regionLog().append(EntryKind.WRITE, new WriteBatchBuilder(0).build());
            peer.touch();
        } catch (AppendRefused e) {
            // Comes again with the next round.
            proposedIndex = 0;
        }
    }
}
