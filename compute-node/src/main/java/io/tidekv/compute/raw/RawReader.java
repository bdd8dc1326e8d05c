package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.raw.RawValues.RawValue;
import java.util.Arrays;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** Reads raw keys of one snapshot at one time; values that have ended are not there. */
public final class RawReader {
    private final KvSnapshot snapshot;
    private final RawFormat format;
    private final long nowSeconds;

    public RawReader(KvSnapshot snapshot, RawFormat format, long nowSeconds) {
        this.snapshot = snapshot;
        this.format = format;
        this.nowSeconds = nowSeconds;
    }

    public @Nullable RawValue get(Cf cf, ByteString key) {
        byte[] stored =
                format.keys().versioned()
                        ? newest(cf, format.keys().bound(key))
                        : snapshot.get(cf, format.keys().bound(key));
        return stored == null ? null : format.values().decode(stored, nowSeconds);
    }

    private byte @Nullable [] newest(Cf cf, byte[] bound) {
        byte[] end = Arrays.copyOf(bound, bound.length + Long.BYTES + 1);
        Arrays.fill(end, bound.length, end.length - 1, (byte) 0xFF);
        try (KvIterator rows = snapshot.iterator(cf, bound, end)) {
            rows.seekToFirst();
            return rows.isValid() ? rows.value() : null;
        }
    }

    /**
     * Walks {@code [start, end)} upwards (an empty end: to the region's end), or downwards from
     * {@code start} (exclusive) to {@code end}, until {@code sink} answers false. An inverted range
     * holds nothing.
     */
    void scan(
            Cf cf,
            ByteString start,
            ByteString end,
            boolean reverse,
            BiPredicate<ByteString, ByteString> sink) {
        if (reverse && start.isEmpty()) {
            return;
        }
        RawKeys keys = format.keys();
        byte[] lower = (reverse ? end : start).isEmpty() ? null : keys.bound(reverse ? end : start);
        byte[] upper = (reverse ? start : end).isEmpty() ? null : keys.bound(reverse ? start : end);
        if (lower != null && upper != null && Arrays.compareUnsigned(lower, upper) >= 0) {
            return;
        }
        try (KvIterator rows = snapshot.iterator(cf, lower, upper)) {
            if (!keys.versioned()) {
                walk(rows, reverse, sink);
            } else if (reverse) {
                new VersionedWalk(rows, format, nowSeconds, sink).down();
            } else {
                new VersionedWalk(rows, format, nowSeconds, sink).up();
            }
        }
    }

    private void walk(KvIterator rows, boolean reverse, BiPredicate<ByteString, ByteString> sink) {
        if (reverse) {
            rows.seekToLast();
        } else {
            rows.seekToFirst();
        }
        while (rows.isValid()) {
            RawValue value = format.values().decode(rows.value(), nowSeconds);
            if (value != null
                    && !sink.test(UnsafeByteOperations.unsafeWrap(rows.key()), value.bytes())) {
                return;
            }
            if (reverse) {
                rows.prev();
            } else {
                rows.next();
            }
        }
    }
}
