package io.tidekv.wal.core;

import io.tidekv.proto.region.Owner;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** A lease shared by the regions of one owner at this node. Dead once it has lapsed, for ever. */
final class Session {
    private final long id;
    private final Owner owner;
    private final long leaseMs;
    private long untilNanos;
    private final Map<Long, Long> notExtended = new TreeMap<>();

    Session(long id, Owner owner, long leaseMs, long untilNanos) {
        this.id = id;
        this.owner = owner;
        this.leaseMs = leaseMs;
        this.untilNanos = untilNanos;
    }

    long id() {
        return id;
    }

    Owner owner() {
        return owner;
    }

    /** The longest lease that a renewal may ask for: what every member has promised durably. */
    long leaseMs() {
        return leaseMs;
    }

    long untilNanos() {
        return untilNanos;
    }

    void extendTo(long untilNanos) {
        if (untilNanos - this.untilNanos > 0) {
            this.untilNanos = untilNanos;
        }
    }

    /** Regions that renewals do not extend, with the term that waits or has taken over. */
    Map<Long, Long> notExtended() {
        return Collections.unmodifiableMap(notExtended);
    }

    void stopExtending(long regionId, long term) {
        notExtended.merge(regionId, term, Math::max);
    }

    /** The region is a full member (again), under a newer term of the same owner. */
    void joined(long regionId) {
        notExtended.remove(regionId);
    }
}
