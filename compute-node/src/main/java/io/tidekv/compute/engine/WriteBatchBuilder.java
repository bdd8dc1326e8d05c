package io.tidekv.compute.engine;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.util.Arrays;

/**
 * Builds a RocksDB write batch in its serialised form, which is also the log entry: 8 bytes
 * sequence (0), 4 bytes count (little endian), then a record per operation. Not thread-safe.
 */
public final class WriteBatchBuilder {
    private static final int HEADER = 12;
    private static final byte DELETION = 0x0;
    private static final byte VALUE = 0x1;
    private static final byte CF_DELETION = 0x4;
    private static final byte CF_VALUE = 0x5;
    private static final byte CF_RANGE_DELETION = 0xE;
    private static final byte RANGE_DELETION = 0xF;

    private byte[] buffer;
    private int size = HEADER;
    private int count;

    public WriteBatchBuilder() {
        this(256);
    }

    public WriteBatchBuilder(int bytesExpected) {
        buffer = new byte[Math.max(bytesExpected, 64)];
    }

    public WriteBatchBuilder put(Cf cf, byte[] key, byte[] value) {
        head(cf, VALUE, CF_VALUE, key.length + value.length);
        bytes(key);
        bytes(value);
        return this;
    }

    /** As {@link #put(Cf, byte[], byte[])} of a value that is {@code value} and {@code suffix}. */
    public WriteBatchBuilder put(Cf cf, ByteString key, ByteString value, byte[] suffix) {
        head(cf, VALUE, CF_VALUE, key.size() + value.size() + suffix.length);
        varint(key.size());
        key.copyTo(buffer, size);
        size += key.size();
        varint(value.size() + suffix.length);
        value.copyTo(buffer, size);
        size += value.size();
        System.arraycopy(suffix, 0, buffer, size, suffix.length);
        size += suffix.length;
        return this;
    }

    public WriteBatchBuilder delete(Cf cf, byte[] key) {
        head(cf, DELETION, CF_DELETION, key.length);
        bytes(key);
        return this;
    }

    /** Deletes keys in {@code [from, to)}. */
    public WriteBatchBuilder deleteRange(Cf cf, byte[] from, byte[] to) {
        head(cf, RANGE_DELETION, CF_RANGE_DELETION, from.length + to.length);
        bytes(from);
        bytes(to);
        return this;
    }

    /** Operations so far. */
    public int count() {
        return count;
    }

    public boolean isEmpty() {
        return count == 0;
    }

    /** Serialised size so far. */
    public int sizeBytes() {
        return size;
    }

    /** The serialised batch. The builder must not be used afterwards. */
    public ByteString build() {
        buffer[8] = (byte) count;
        buffer[9] = (byte) (count >>> 8);
        buffer[10] = (byte) (count >>> 16);
        buffer[11] = (byte) (count >>> 24);
        return UnsafeByteOperations.unsafeWrap(buffer, 0, size);
    }

    private void head(Cf cf, byte plain, byte withCf, int payload) {
        ensure(payload + 16);
        count++;
        if (cf.id() == 0) {
            buffer[size++] = plain;
        } else {
            buffer[size++] = withCf;
            varint(cf.id());
        }
    }

    private void bytes(byte[] value) {
        varint(value.length);
        System.arraycopy(value, 0, buffer, size, value.length);
        size += value.length;
    }

    private void varint(int value) {
        int rest = value;
        while ((rest & ~0x7F) != 0) {
            buffer[size++] = (byte) ((rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        buffer[size++] = (byte) rest;
    }

    private void ensure(int more) {
        int needed = Math.addExact(size, more);
        if (needed > buffer.length) {
            buffer =
                    Arrays.copyOf(
                            buffer,
                            Math.max(needed, Math.addExact(buffer.length, buffer.length >> 1)));
        }
    }
}
