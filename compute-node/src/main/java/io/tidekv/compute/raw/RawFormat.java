package io.tidekv.compute.raw;

import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.engine.Cf;

/** How a cluster of some API mode stores raw data. */
public final class RawFormat {
    private final RawKeys keys;
    private final RawValues values;

    public RawFormat(ApiMode mode) {
        keys = new RawKeys(mode);
        values = new RawValues(mode);
    }

    public RawKeys keys() {
        return keys;
    }

    public RawValues values() {
        return values;
    }

    /** The column family that a request names; empty means {@code default}. V2 takes no name. */
    public Cf cf(String name) {
        if (name.isEmpty()) {
            return Cf.DEFAULT;
        }
        if (keys.versioned()) {
            throw new RawException("cf is deprecated in API V2, cf name: leave it empty");
        }
        return RawCf.of(name);
    }
}
