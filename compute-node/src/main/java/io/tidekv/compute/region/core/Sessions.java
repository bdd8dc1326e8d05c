package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of this process at the WAL nodes, as leaders see them. Belongs to the thread of the
 * leaders that use it.
 */
public interface Sessions {
    /** A voter has said that a region is in this session: from now on it is renewed. */
    void joined(long walId, long session);

    /** Whether the session is still being renewed; a region in a lost one rejoins by an Append. */
    boolean current(long walId, long session);

    /**
     * When the newest renewal of the session that was answered had been sent; null when none was.
     */
    Clock.@Nullable Reading renewedAt(long walId, long session);
}
