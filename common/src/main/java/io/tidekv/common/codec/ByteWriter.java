package io.tidekv.common.codec;

import java.util.Arrays;

/** A growing byte string made of the pieces of TiKV's records. Not thread-safe. */
public final class ByteWriter {
    private byte[] buffer;
    private int size;

    public ByteWriter(int bytesExpected) {
        buffer = new byte[Math.max(bytesExpected, 16)];
    }

    public ByteWriter u8(int value) {
        ensure(1);
        buffer[size++] = (byte) value;
        return this;
    }

    /** Eight bytes, big endian. */
    public ByteWriter u64(long value) {
        ensure(Long.BYTES);
        Ints.put(buffer, size, value);
        size += Long.BYTES;
        return this;
    }

    /** An unsigned number, seven bits a byte, lowest first (LEB128). */
    public ByteWriter varU64(long value) {
        ensure(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            buffer[size++] = (byte) ((rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        buffer[size++] = (byte) rest;
        return this;
    }

    /** A length as a zigzag number, then the bytes: TiKV's compact bytes. */
    public ByteWriter compactBytes(byte[] value) {
        varU64((long) value.length << 1);
        return bytes(value);
    }

    public ByteWriter bytes(byte[] value) {
        ensure(value.length);
        System.arraycopy(value, 0, buffer, size, value.length);
        size += value.length;
        return this;
    }

    public byte[] toBytes() {
        return Arrays.copyOf(buffer, size);
    }

    private void ensure(int more) {
        int needed = Math.addExact(size, more);
        if (needed > buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.max(needed, buffer.length * 2));
        }
    }
}
