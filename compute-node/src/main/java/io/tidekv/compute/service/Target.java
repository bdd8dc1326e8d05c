package io.tidekv.compute.service;

import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.region.RegionShape;

/** The region that a request was checked against; its range holds at the shape's version. */
record Target(Region region, RegionShape shape, KeyBounds bounds) {
    static Target of(Region region) {
        RegionShape shape = region.shape();
        return new Target(region, shape, KeyBounds.of(shape));
    }

    long version() {
        return shape.getVersion();
    }
}
