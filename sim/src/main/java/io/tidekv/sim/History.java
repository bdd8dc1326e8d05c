package io.tidekv.sim;

import java.util.Map;
import java.util.TreeMap;

/**
 * Whether clients see one register per key. The log gives the order of the writes, so an operation
 * is in order when it takes effect no earlier than anything that had been answered before it began.
 */
final class History {
    private record Register(long region, int key) implements Comparable<Register> {
        @Override
        public int compareTo(Register other) {
            int byRegion = Long.compare(region, other.region);
            return byRegion != 0 ? byRegion : Integer.compare(key, other.key);
        }
    }

    private final Map<Register, Long> floors = new TreeMap<>();
    private long answered;

    /** What an operation that begins now must not fall behind. */
    long floor(long region, int key) {
        return floors.getOrDefault(new Register(region, key), 0L);
    }

    long answered() {
        return answered;
    }

    void written(long region, int key, long floor, long index) {
        SimFailure.check(
                index > floor,
                "region %d key %d: a write took place %d, behind %d",
                region,
                key,
                index,
                floor);
        raise(region, key, index);
    }

    void read(long region, int key, long floor, long index) {
        SimFailure.check(
                index >= 0, "region %d key %d: a read saw what was never committed", region, key);
        SimFailure.check(
                index >= floor,
                "region %d key %d: stale read of %d, %d was answered before",
                region,
                key,
                index,
                floor);
        raise(region, key, index);
    }

    private void raise(long region, int key, long index) {
        answered++;
        floors.merge(new Register(region, key), index, Math::max);
    }
}
