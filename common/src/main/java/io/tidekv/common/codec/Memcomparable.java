package io.tidekv.common.codec;

import java.util.Arrays;

/**
 * TiKV's memory-comparable form of a byte string: groups of eight bytes, the last one filled up
 * with zeros, each followed by {@code 0xFF - padding}. The encoded forms of two strings compare as
 * the strings do, and none is a prefix of another, so a suffix may follow.
 */
public final class Memcomparable {
    private static final int GROUP = 8;
    private static final int MARKER = 0xFF;

    private Memcomparable() {}

    /** Length of the encoded form of {@code length} bytes. */
    public static int encodedLength(int length) {
        return Math.multiplyExact(length / GROUP + 1, GROUP + 1);
    }

    public static byte[] encode(byte[] raw) {
        return encode(raw, 0);
    }

    /** The encoded form with {@code room} zero bytes behind it, for a suffix. */
    static byte[] encode(byte[] raw, int room) {
        byte[] out = new byte[encodedLength(raw.length) + room];
        int at = 0;
        for (int from = 0; from <= raw.length; from += GROUP) {
            int length = Math.min(GROUP, raw.length - from);
            System.arraycopy(raw, from, out, at, length);
            out[at + GROUP] = (byte) (MARKER - (GROUP - length));
            at += GROUP + 1;
        }
        return out;
    }

    /** The encoded form followed by {@code ts} in descending order. */
    public static byte[] encodeWithDesc(byte[] raw, long ts) {
        byte[] out = encode(raw, Long.BYTES);
        Ints.putDesc(out, out.length - Long.BYTES, ts);
        return out;
    }

    /** Decodes a whole array; bytes left over are an error. */
    public static byte[] decode(byte[] encoded) {
        int end = endOf(encoded, 0);
        if (end != encoded.length) {
            throw new CodecException("bytes follow a memory-comparable key");
        }
        return decode(encoded, 0, end);
    }

    /** Decodes what lies in {@code [from, end)}, with {@code end} as {@link #endOf} gives it. */
    public static byte[] decode(byte[] encoded, int from, int end) {
        int groups = (end - from) / (GROUP + 1);
        int padding = MARKER - (encoded[end - 1] & 0xFF);
        byte[] out = new byte[groups * GROUP - padding];
        int at = from;
        for (int to = 0; to < out.length; to += GROUP) {
            System.arraycopy(encoded, at, out, to, Math.min(GROUP, out.length - to));
            at += GROUP + 1;
        }
        return out;
    }

    /** Where the encoded string that starts at {@code from} ends; checks its padding. */
    public static int endOf(byte[] encoded, int from) {
        int at = from;
        while (true) {
            if (encoded.length - at < GROUP + 1) {
                throw new CodecException("a memory-comparable key is cut short");
            }
            int padding = MARKER - (encoded[at + GROUP] & 0xFF);
            if (padding != 0) {
                checkPadding(encoded, at, padding);
                return at + GROUP + 1;
            }
            at += GROUP + 1;
        }
    }

    /** True if {@code key} is one encoded string and nothing else. */
    public static boolean isEncoded(byte[] key) {
        try {
            return endOf(key, 0) == key.length;
        } catch (CodecException e) {
            return false;
        }
    }

    /** {@code key} without the eight bytes of a timestamp behind it. */
    public static byte[] withoutSuffix(byte[] key) {
        if (key.length < Long.BYTES) {
            throw new CodecException("a versioned key is shorter than its version");
        }
        return Arrays.copyOf(key, key.length - Long.BYTES);
    }

    private static void checkPadding(byte[] encoded, int at, int padding) {
        if (padding > GROUP) {
            throw new CodecException("a memory-comparable key has an impossible marker");
        }
        for (int i = GROUP - padding; i < GROUP; i++) {
            if (encoded[at + i] != 0) {
                throw new CodecException("a memory-comparable key is not padded with zeros");
            }
        }
    }
}
