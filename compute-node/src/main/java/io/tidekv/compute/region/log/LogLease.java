package io.tidekv.compute.region.log;

import io.tidekv.common.time.Clock;

/** What lets an owner read without asking anybody. Immutable; any thread may decide by it. */
@FunctionalInterface
public interface LogLease {
    /**
     * Whether nobody else can have written anything up to {@code now}, which must have been read
     * after the request to be answered came in.
     */
    boolean covers(Clock.Reading now);
}
