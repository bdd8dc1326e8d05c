package io.tidekv.wal.storage;

/** A place in the log: segment, then byte in its file. */
record Position(long segment, int offset) implements Comparable<Position> {
    static final Position START = new Position(0, 0);

    private static final int OFFSET_BITS = 31;

    /** As one number, in the same order. */
    long packed() {
        return segment << OFFSET_BITS | offset;
    }

    static long pack(long segment, int offset) {
        return segment << OFFSET_BITS | offset;
    }

    static long segment(long packed) {
        return packed >>> OFFSET_BITS;
    }

    static int offset(long packed) {
        return (int) (packed & ((1L << OFFSET_BITS) - 1));
    }

    @Override
    public int compareTo(Position other) {
        return Long.compare(packed(), other.packed());
    }
}
