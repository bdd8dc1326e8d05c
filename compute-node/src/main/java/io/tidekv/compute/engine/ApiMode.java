package io.tidekv.compute.engine;

/** How a cluster lays keys and values out; fixed when the cluster is made. */
public enum ApiMode {
    /** Raw and transactional keys side by side, no expiry. */
    V1(1),
    /** Raw keys only; an expiry follows each value. */
    V1TTL(2),
    /** Raw and transactional keys under prefixes, with expiry. */
    V2(3);

    private final int id;

    ApiMode(int id) {
        this.id = id;
    }

    /** The number in cluster settings and records. */
    public int id() {
        return id;
    }

    /** The mode of a number in cluster settings; an unknown one is an error of the caller. */
    public static ApiMode of(int id) {
        for (ApiMode mode : values()) {
            if (mode.id == id) {
                return mode;
            }
        }
        throw new IllegalArgumentException("no API mode has the number " + id);
    }
}
