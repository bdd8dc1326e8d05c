package io.tidekv.common.codec;

import java.util.Arrays;

/** Takes TiKV's records apart. Every cut or oversize piece is a {@link CodecException}. */
public final class ByteReader {
    private final byte[] bytes;
    private int at;

    public ByteReader(byte[] bytes) {
        this.bytes = bytes;
    }

    public boolean isEmpty() {
        return at == bytes.length;
    }

    public int u8() {
        need(1);
        return bytes[at++] & 0xFF;
    }

    /** Eight bytes, big endian. */
    public long u64() {
        need(Long.BYTES);
        long value = Ints.get(bytes, at);
        at += Long.BYTES;
        return value;
    }

    public long varU64() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = u8();
            value |= (long) (next & 0x7F) << shift;
            if ((next & 0x80) == 0) {
                if (shift == 63 && next > 1) {
                    break;
                }
                return value;
            }
        }
        throw new CodecException("a variable-length number is too long");
    }

    /** A length that cannot be more than the bytes left. */
    public int count() {
        long count = varU64();
        if (count < 0 || count > bytes.length - at) {
            throw new CodecException("a count is larger than what follows it");
        }
        return (int) count;
    }

    /** A zigzag length, then as many bytes. */
    public byte[] compactBytes() {
        long zigzag = varU64();
        long length = (zigzag >>> 1) ^ -(zigzag & 1);
        if (length < 0 || length > bytes.length - at) {
            throw new CodecException("a byte string is longer than what follows it");
        }
        return bytes((int) length);
    }

    public byte[] bytes(int length) {
        need(length);
        byte[] out = Arrays.copyOfRange(bytes, at, at + length);
        at += length;
        return out;
    }

    private void need(int length) {
        if (length > bytes.length - at) {
            throw new CodecException("a record is cut short");
        }
    }
}
