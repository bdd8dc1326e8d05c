package io.tidekv.objects.store;

import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;

/** What object stores and their users take from the outside. */
public record StoreContext(Clock clock, Randomness randomness, Sleeper sleeper) {
    /** The machine's own. */
    public static StoreContext system() {
        return new StoreContext(SystemClock.INSTANCE, Randomness.real(), Sleeper.real());
    }
}
