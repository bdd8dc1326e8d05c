package io.tidekv.compute.engine;

/**
 * Column families of a tablet that hold user data. The ids are stable: log entries contain them.
 */
public enum Cf {
    DEFAULT(0, "default"),
    LOCK(1, "lock"),
    WRITE(2, "write");

    private final int id;
    private final String label;

    Cf(int id, String label) {
        this.id = id;
        this.label = label;
    }

    /** RocksDB's column family id, as it stands in serialised batches. */
    public int id() {
        return id;
    }

    /** RocksDB's column family name, also used in requests. */
    public String label() {
        return label;
    }
}
