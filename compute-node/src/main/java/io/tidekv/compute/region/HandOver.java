package io.tidekv.compute.region;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A planned move, seen from the store that hands over. To a target that follows the log it leaves
 * at once. Otherwise it publishes while it serves, publishes the little that has come since, then
 * leaves; if the object store does not take the records the region stays, and PD asks again.
 * Belongs to the region's loop.
 */
final class HandOver {
    private static final Logger log = LoggerFactory.getLogger(HandOver.class);

    private final RegionPeer peer;
    private final LedRegion led;

    HandOver(RegionPeer peer, LedRegion led) {
        this.peer = peer;
        this.led = led;
    }

    /** {@code warm}: the target has the tablet open and follows the log. */
    void start(boolean warm) {
        if (warm) {
            // A new record has the target open its tablet once more: not in the gap.
            if (led.publication().isIdle()) {
                led.publication().hold();
                peer.leave("moved by PD's order");
            } else {
                led.handOverFailed();
            }
            return;
        }
        led.publication().request(error -> next(error, this::again));
    }

    private void again() {
        led.publication().request(error -> next(error, () -> peer.leave("moved by PD's order")));
    }

    private void next(@Nullable Throwable error, Runnable step) {
        if (error == null) {
            step.run();
        } else {
            log.warn("region {} is not handed over: {}", peer.id(), error.toString());
            led.handOverFailed();
        }
    }
}
