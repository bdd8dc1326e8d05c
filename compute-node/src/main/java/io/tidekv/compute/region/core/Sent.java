package io.tidekv.compute.region.core;

import io.tidekv.common.time.Clock;

/**
 * A request that waits for its response.
 *
 * @param at both clocks when it was sent: leases count from here
 * @param prevIndex of an Append
 * @param lastIndex what an Append makes durable when it matches
 * @param bytes what it counts against the bound of bytes under way
 * @param snapshotIndex the snapshot that travels with an Append, or -1
 */
record Sent(
        long seq,
        Kind kind,
        Clock.Reading at,
        long prevIndex,
        long lastIndex,
        long bytes,
        long snapshotIndex) {

    /** What was asked. */
    enum Kind {
        CREATE,
        OPEN,
        APPEND,
        READ,
        RELEASE,
        RETIRE
    }

    static Sent plain(long seq, Kind kind, Clock.Reading at) {
        return new Sent(seq, kind, at, 0, 0, EntryWindow.OVERHEAD_BYTES, -1);
    }
}
