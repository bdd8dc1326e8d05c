package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.raw.RawValues.RawValue;
import java.util.Arrays;
import java.util.function.BiPredicate;

/** Walks raw keys that have versions, newest first, and shows the newest of each. */
final class VersionedWalk {
    /** Older versions passed over one by one before it pays to seek. */
    private static final int STEPS = 8;

    private final KvIterator rows;
    private final RawFormat format;
    private final long nowSeconds;
    private final BiPredicate<ByteString, ByteString> sink;

    VersionedWalk(
            KvIterator rows,
            RawFormat format,
            long nowSeconds,
            BiPredicate<ByteString, ByteString> sink) {
        this.rows = rows;
        this.format = format;
        this.nowSeconds = nowSeconds;
        this.sink = sink;
    }

    /** Shows keys in ascending order until the sink answers false. */
    void up() {
        rows.seekToFirst();
        while (rows.isValid()) {
            byte[] row = rows.key();
            if (!show(row, rows.value())) {
                return;
            }
            skipOlder(row);
        }
    }

    private void skipOlder(byte[] row) {
        for (int step = 0; step < STEPS; step++) {
            rows.next();
            if (!rows.isValid() || !isSameKey(row, rows.key())) {
                return;
            }
        }
        byte[] last = row.clone();
        Arrays.fill(last, last.length - Long.BYTES, last.length, (byte) 0xFF);
        rows.seek(last);
        if (rows.isValid() && Arrays.equals(last, rows.key())) {
            rows.next();
        }
    }

    /** Shows keys in descending order until the sink answers false. */
    void down() {
        rows.seekToLast();
        while (rows.isValid()) {
            byte[] row = rows.key();
            byte[] value = rows.value();
            int steps = 0;
            rows.prev();
            while (rows.isValid() && isSameKey(row, rows.key())) {
                if (++steps > STEPS) {
                    rows.seek(Memcomparable.withoutSuffix(row));
                }
                row = rows.key();
                value = rows.value();
                rows.prev();
            }
            if (!show(row, value)) {
                return;
            }
        }
    }

    private boolean show(byte[] row, byte[] stored) {
        RawValue value = format.values().decode(stored, nowSeconds);
        return value == null || sink.test(format.keys().user(row), value.bytes());
    }

    static boolean isSameKey(byte[] row, byte[] other) {
        int length = row.length - Long.BYTES;
        return other.length == row.length && Arrays.equals(row, 0, length, other, 0, length);
    }
}
