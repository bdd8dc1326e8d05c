package io.tidekv.compute.engine;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.CodecException;
import java.util.Arrays;

/**
 * Walks the operations of a serialised RocksDB write batch over the user's column families, as
 * {@link WriteBatchBuilder} makes them. Anything else is a {@link CodecException}.
 */
public final class WriteBatchReader {
    private static final int HEADER = 12;

    private final byte[] bytes;
    private int at = HEADER;

    private WriteBatchReader(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Receives the operations in order. */
    public interface Handler {
        void put(Cf cf, byte[] key, byte[] value);

        void delete(Cf cf, byte[] key);

        /** Deletes keys in {@code [from, to)}. */
        void deleteRange(Cf cf, byte[] from, byte[] to);
    }

    /** Feeds every operation of {@code batch} to {@code handler}. */
    public static void read(ByteString batch, Handler handler) {
        if (batch.size() < HEADER) {
            throw new CodecException("a write batch is shorter than its header");
        }
        WriteBatchReader reader = new WriteBatchReader(batch.toByteArray());
        int count = reader.count();
        for (int i = 0; i < count; i++) {
            reader.operation(handler);
        }
        if (reader.at != reader.bytes.length) {
            throw new CodecException("bytes follow the last operation of a write batch");
        }
    }

    private int count() {
        int count = 0;
        for (int i = 0; i < 4; i++) {
            count |= (bytes[8 + i] & 0xFF) << (8 * i);
        }
        if (count < 0) {
            throw new CodecException("a write batch has too many operations");
        }
        return count;
    }

    private void operation(Handler handler) {
        int tag = u8();
        switch (tag) {
            case 0x0 -> handler.delete(Cf.DEFAULT, bytes());
            case 0x1 -> handler.put(Cf.DEFAULT, bytes(), bytes());
            case 0xF -> handler.deleteRange(Cf.DEFAULT, bytes(), bytes());
            case 0x4 -> handler.delete(cf(), bytes());
            case 0x5 -> handler.put(cf(), bytes(), bytes());
            case 0xE -> handler.deleteRange(cf(), bytes(), bytes());
            default -> throw new CodecException("a write batch has an unknown operation");
        }
    }

    private Cf cf() {
        int id = varint();
        for (Cf cf : Cf.values()) {
            if (cf.id() == id) {
                return cf;
            }
        }
        throw new CodecException("a write batch names an unknown column family");
    }

    private byte[] bytes() {
        int length = varint();
        if (length < 0 || length > bytes.length - at) {
            throw new CodecException("a write batch is cut short");
        }
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    private int varint() {
        int value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            int next = u8();
            value |= (next & 0x7F) << shift;
            if ((next & 0x80) == 0) {
                return value;
            }
        }
        throw new CodecException("a length in a write batch is too long");
    }

    private int u8() {
        if (at >= bytes.length) {
            throw new CodecException("a write batch is cut short");
        }
        return bytes[at++] & 0xFF;
    }
}
