package io.tidekv.compute.region;

import io.tidekv.common.error.KvException;
import org.jspecify.annotations.Nullable;

/**
 * What a caller wants of a region, as far as a flashback under way lets it. Source: tikv {@code
 * check_flashback_state}.
 *
 * @param flashback a step of a flashback; served only while the region is shut by one
 * @param readTs a read at this timestamp, served if the flashback began later; 0: anything else
 */
public record Access(boolean flashback, long readTs) {
    /** Writes, and reads of the newest. */
    public static final Access ANY = new Access(false, 0);

    /** Steps of a flashback. */
    public static final Access FLASHBACK = new Access(true, 0);

    public static Access readAt(long ts) {
        return new Access(false, ts);
    }

    /** Why a region that is shut since {@code flashbackStartTs} does not let it in; or null. */
    public @Nullable KvException refuse(long regionId, long flashbackStartTs) {
        return isAllowed(flashbackStartTs) ? null : Failures.flashback(regionId, flashbackStartTs);
    }

    /** Whether a region lets it in that is shut since {@code flashbackStartTs}; 0: that is open. */
    public boolean isAllowed(long flashbackStartTs) {
        if (flashbackStartTs == 0) {
            return !flashback;
        }
        return flashback || (readTs != 0 && Long.compareUnsigned(readTs, flashbackStartTs) < 0);
    }
}
