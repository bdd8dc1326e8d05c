package io.tidekv.compute.tablet;

import java.math.BigInteger;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Half-way between two keys, read as fractions in base 256. */
final class Midpoint {
    private static final int GUARD_BYTES = 2;

    private Midpoint() {}

    /** A key above {@code low} and below {@code high}; null when they are too close. */
    static byte @Nullable [] between(byte[] low, byte[] high) {
        int mismatch = Arrays.mismatch(low, high);
        if (mismatch < 0 || Arrays.compareUnsigned(low, high) >= 0) {
            return null;
        }
        // Bytes far behind the first difference do not matter for a middle.
        int width = mismatch + 8 + GUARD_BYTES;
        BigInteger sum = number(low, mismatch, width).add(number(high, mismatch, width));
        byte[] digits = sum.shiftRight(1).toByteArray();
        byte[] middle = Arrays.copyOf(high, width);
        Arrays.fill(middle, mismatch, width, (byte) 0);
        int length = Math.min(digits.length, width - mismatch);
        System.arraycopy(digits, digits.length - length, middle, width - length, length);
        boolean inside =
                Arrays.compareUnsigned(low, middle) < 0 && Arrays.compareUnsigned(middle, high) < 0;
        return inside ? middle : null;
    }

    private static BigInteger number(byte[] key, int from, int to) {
        byte[] digits = Arrays.copyOfRange(key, Math.min(from, key.length), Math.max(from, to));
        if (key.length < from) {
            digits = new byte[to - from];
        }
        return new BigInteger(1, Arrays.copyOf(digits, to - from));
    }
}
