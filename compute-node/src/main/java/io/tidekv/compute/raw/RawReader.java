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
    private final RawValues values;
    private final long nowSeconds;

    public RawReader(KvSnapshot snapshot, RawValues values, long nowSeconds) {
        this.snapshot = snapshot;
        this.values = values;
        this.nowSeconds = nowSeconds;
    }

    public @Nullable RawValue get(Cf cf, ByteString key) {
        byte[] stored = snapshot.get(cf, key.toByteArray());
        return stored == null ? null : values.decode(stored, nowSeconds);
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
        ByteString lower = reverse ? end : start;
        byte @Nullable [] upper =
                reverse ? start.toByteArray() : end.isEmpty() ? null : end.toByteArray();
        boolean nothingBelow = reverse && start.isEmpty();
        if (nothingBelow
                || (upper != null && Arrays.compareUnsigned(lower.toByteArray(), upper) >= 0)) {
            return;
        }
        try (KvIterator iterator = snapshot.iterator(cf, lower.toByteArray(), upper)) {
            if (reverse) {
                iterator.seekToLast();
            } else {
                iterator.seekToFirst();
            }
            while (iterator.isValid()) {
                RawValue value = values.decode(iterator.value(), nowSeconds);
                if (value != null
                        && !sink.test(
                                UnsafeByteOperations.unsafeWrap(iterator.key()), value.bytes())) {
                    return;
                }
                if (reverse) {
                    iterator.prev();
                } else {
                    iterator.next();
                }
            }
        }
    }
}
