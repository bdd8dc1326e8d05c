package io.tidekv.compute.raw;

import io.tidekv.compute.engine.Cf;

/** Column families as raw requests name them. */
public final class RawCf {
    private RawCf() {}

    /** An empty name means {@code default}; throws for an unknown one. */
    public static Cf of(String name) {
        if (name.isEmpty()) {
            return Cf.DEFAULT;
        }
        for (Cf cf : Cf.values()) {
            if (cf.label().equals(name)) {
                return cf;
            }
        }
        throw new RawException("invalid cf name: use default, lock or write");
    }
}
