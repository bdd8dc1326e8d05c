package io.tidekv.wal.core;

import io.tidekv.proto.region.Origin;

/**
 * What a voter knows to be committed: an entry, and so all before it. True for ever.
 *
 * @param origin how the region's log began
 * @param index 0: nothing is known
 */
public record Committed(long regionId, Origin origin, long index, long term) {}
