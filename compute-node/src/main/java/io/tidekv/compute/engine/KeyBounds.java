package io.tidekv.compute.engine;

import com.google.protobuf.ByteString;
import io.tidekv.proto.region.RegionShape;
import java.util.Arrays;

/** The range {@code [start, end)} of a region in stored keys; an empty end has no bound. */
public final class KeyBounds {
    private final byte[] start;
    private final byte[] end;

    private KeyBounds(byte[] start, byte[] end) {
        this.start = start;
        this.end = end;
    }

    public static KeyBounds of(RegionShape shape) {
        return of(shape.getStartKey(), shape.getEndKey());
    }

    public static KeyBounds of(ByteString start, ByteString end) {
        return new KeyBounds(start.toByteArray(), end.toByteArray());
    }

    /** True if {@code key} lies in the range. */
    public boolean contains(byte[] key) {
        return startsAtOrBelow(key) && (end.length == 0 || Arrays.compareUnsigned(key, end) < 0);
    }

    /** True if {@code key} lies in the range or is its end: a valid exclusive bound. */
    public boolean containsBound(byte[] key) {
        return startsAtOrBelow(key) && endsAtOrAbove(key);
    }

    public boolean startsAtOrBelow(byte[] key) {
        return Arrays.compareUnsigned(start, key) <= 0;
    }

    public boolean endsAtOrAbove(byte[] key) {
        return end.length == 0 || Arrays.compareUnsigned(key, end) <= 0;
    }
}
