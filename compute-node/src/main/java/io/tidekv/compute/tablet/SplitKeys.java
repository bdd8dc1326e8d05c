package io.tidekv.compute.tablet;

import io.tidekv.proto.region.RegionShape;
import org.jspecify.annotations.Nullable;

/** Chooses where a region that has grown too large is split. */
public final class SplitKeys {
    private SplitKeys() {}

    /**
     * A key that divides the region's data into two parts of about equal size, or null when no
     * boundary does better than 10 % to 90 %. May fetch objects; blocks.
     *
     * @param apiMode 1 = V1, 2 = V1TTL
     */
    public static byte @Nullable [] middle(Tablet tablet, RegionShape shape, int apiMode) {
        return null;
    }
}
