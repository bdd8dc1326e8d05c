package io.tidekv.pd.routing;

import io.tidekv.common.time.Clock;
import io.tidekv.pd.schedule.LiveView.StoreStatus;
import org.jspecify.annotations.Nullable;

/** How a store's state is called, as in PD. */
public final class StoreStates {
    private static final long DOWN_NANOS = 30_000_000_000L;

    private StoreStates() {}

    /** "Up"; "Disconnected" when it is silent, or has not found this leader yet; then "Down". */
    public static String name(@Nullable StoreStatus status, Clock clock) {
        if (status == null) {
            return "Disconnected";
        }
        if (status.alive()) {
            return "Up";
        }
        return clock.monotonicNanos() - status.lastSeenNanos() < DOWN_NANOS
                ? "Disconnected"
                : "Down";
    }
}
