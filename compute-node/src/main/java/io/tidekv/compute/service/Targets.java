package io.tidekv.compute.service;

import io.tidekv.compute.region.RegionAccess.Region;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The target of each region as it was last, for requests to find instead of make. Thread-safe. */
final class Targets {
    /** Regions that have gone are forgotten at some time. */
    private static final int KEPT_MAX = 16_384;

    private final Map<Long, Target> targets = new ConcurrentHashMap<>();

    @SuppressWarnings("ReferenceEquality") // a region keeps its shape until that changes
    Target of(long regionId, Region region) {
        Target known = targets.get(regionId);
        if (known != null && known.region() == region && known.shape() == region.shape()) {
            return known;
        }
        if (targets.size() >= KEPT_MAX) {
            targets.clear();
        }
        Target target = Target.of(region);
        targets.put(regionId, target);
        return target;
    }
}
