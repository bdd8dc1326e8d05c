package io.tidekv.compute.tablet.rocks;

import io.tidekv.proto.region.RegionShape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Keys in {@code [start, end)}; a null end has no bound. */
final class KeyRange {
    private final byte[] start;
    private final byte @Nullable [] end;

    private KeyRange(byte[] start, byte @Nullable [] end) {
        this.start = start;
        this.end = end;
    }

    byte[] start() {
        return start;
    }

    byte @Nullable [] end() {
        return end;
    }

    static KeyRange of(RegionShape shape) {
        return of(shape.getStartKey().toByteArray(), shape.getEndKey().toByteArray());
    }

    /** As in shapes: an empty end has no bound. */
    static KeyRange of(byte[] start, byte[] end) {
        return new KeyRange(start, end.length == 0 ? null : end);
    }

    boolean contains(byte[] key) {
        return Arrays.compareUnsigned(start, key) <= 0 && isBelowEnd(key);
    }

    boolean isBelowEnd(byte[] key) {
        return end == null || Arrays.compareUnsigned(key, end) < 0;
    }

    /** The part of this range in {@code [lower, upper)}; null bounds mean this range's own. */
    KeyRange clip(byte @Nullable [] lower, byte @Nullable [] upper) {
        byte[] from =
                lower == null || Arrays.compareUnsigned(lower, start) < 0 ? start : lower.clone();
        byte[] to = upper == null || !isBelowEnd(upper) ? end : upper.clone();
        return new KeyRange(from, to);
    }

    boolean isEmpty() {
        return end != null && Arrays.compareUnsigned(start, end) >= 0;
    }

    /** Whether any key in {@code [smallest, largest]} lies in the range. */
    boolean touches(byte[] smallest, byte[] largest) {
        return Arrays.compareUnsigned(largest, start) >= 0 && isBelowEnd(smallest);
    }
}
