package io.tidekv.common.codec;

import java.util.Arrays;

/** Unsigned 64-bit numbers in eight bytes, big endian; the descending form sorts the other way. */
public final class Ints {
    private Ints() {}

    public static void put(byte[] into, int at, long value) {
        for (int i = 0; i < Long.BYTES; i++) {
            into[at + i] = (byte) (value >>> (56 - 8 * i));
        }
    }

    public static long get(byte[] from, int at) {
        if (at < 0 || from.length - at < Long.BYTES) {
            throw new CodecException("a 64-bit number is cut short");
        }
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = (value << 8) | (from[at + i] & 0xFF);
        }
        return value;
    }

    public static void putDesc(byte[] into, int at, long value) {
        put(into, at, ~value);
    }

    public static long getDesc(byte[] from, int at) {
        return ~get(from, at);
    }

    /** The descending number in the last eight bytes. */
    public static long lastDesc(byte[] from) {
        return getDesc(from, from.length - Long.BYTES);
    }

    /** {@code key} followed by {@code value} in descending order. */
    public static byte[] withDesc(byte[] key, long value) {
        byte[] out = Arrays.copyOf(key, key.length + Long.BYTES);
        putDesc(out, key.length, value);
        return out;
    }
}
