package io.tidekv.wal.storage;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.VoterMeta;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** One record of a batch: what happened to one region. */
sealed interface LogRecord {
    /** Length and checksum before each record's body. */
    int FRAME = 8;

    /** Body of an entry before its data: type, region, index, term, kind. */
    int ENTRY_HEAD = 29;

    /** Body of a meta before the message: type, region. */
    int META_HEAD = 9;

    long regionId();

    /** The region's meta from here on; with {@code reset}, all its entries are dropped. */
    record Meta(long regionId, VoterMeta meta, boolean reset) implements LogRecord {}

    /**
     * An entry, without its data. A {@code moved} one was written anew for an old segment to be
     * deleted: unlike an appended one, it replaces nothing behind it.
     */
    record Written(long regionId, long index, long term, boolean moved) implements LogRecord {}

    /** First byte of the body. */
    final class Type {
        static final byte META = 1;
        static final byte RESET = 2;
        static final byte ENTRY = 3;
        static final byte MOVED_ENTRY = 4;

        private Type() {}
    }

    /** Bytes of an entry's record, with its frame. */
    static int size(Entry entry) {
        return FRAME + ENTRY_HEAD + entry.getData().size();
    }

    /** Bytes of a meta's record, with its frame. */
    static int size(VoterMeta meta) {
        return FRAME + META_HEAD + meta.getSerializedSize();
    }

    static void encodeEntry(ByteBuffer buffer, long regionId, Entry entry, boolean moved) {
        int start = buffer.position();
        buffer.position(start + FRAME);
        buffer.put(moved ? Type.MOVED_ENTRY : Type.ENTRY).putLong(regionId);
        buffer.putLong(entry.getIndex()).putLong(entry.getTerm()).putInt(entry.getKindValue());
        entry.getData().copyTo(buffer);
        frame(buffer, start);
    }

    static void encodeMeta(ByteBuffer buffer, long regionId, VoterMeta meta, boolean reset) {
        int start = buffer.position();
        buffer.position(start + FRAME);
        buffer.put(reset ? Type.RESET : Type.META).putLong(regionId);
        buffer.put(meta.toByteArray());
        frame(buffer, start);
    }

    private static void frame(ByteBuffer buffer, int start) {
        int end = buffer.position();
        int limit = buffer.limit();
        CRC32C crc = new CRC32C();
        // Moves the position to the limit and so leaves it where it was; a view would be garbage.
        crc.update(buffer.limit(end).position(start + FRAME));
        buffer.limit(limit);
        buffer.putInt(start, end - start - FRAME);
        buffer.putInt(start + 4, (int) crc.getValue());
    }

    /**
     * Bytes of the record at {@code at} with its frame, when it is whole and ends at or before
     * {@code end}; else -1.
     */
    static int check(ByteBuffer buffer, int at, int end) {
        if (end - at < FRAME) {
            return -1;
        }
        int length = buffer.getInt(at);
        if (length < META_HEAD || length > end - at - FRAME) {
            return -1;
        }
        return buffer.getInt(at + 4) == crc(buffer, at + FRAME, length) ? FRAME + length : -1;
    }

    /** Bytes of the record at {@code at} with its frame, which has been checked before. */
    static int sizeAt(ByteBuffer buffer, int at) {
        return FRAME + buffer.getInt(at);
    }

    /** Checksum of the record at {@code at}, as it is written there. */
    static int crcAt(ByteBuffer buffer, int at) {
        return buffer.getInt(at + 4);
    }

    /** The record of {@code size} bytes at {@code at}; null when its type or form is unknown. */
    static @Nullable LogRecord decode(ByteBuffer buffer, int at, int size) {
        byte type = buffer.get(at + FRAME);
        long regionId = buffer.getLong(at + FRAME + 1);
        if (type == Type.META || type == Type.RESET) {
            ByteBuffer message = slice(buffer, at + FRAME + META_HEAD, at + size);
            try {
                return new Meta(regionId, VoterMeta.parseFrom(message), type == Type.RESET);
            } catch (InvalidProtocolBufferException e) {
                return null;
            }
        } else if ((type == Type.ENTRY || type == Type.MOVED_ENTRY) && size >= FRAME + ENTRY_HEAD) {
            long index = buffer.getLong(at + FRAME + 9);
            long term = buffer.getLong(at + FRAME + 17);
            return new Written(regionId, index, term, type == Type.MOVED_ENTRY);
        }
        return null;
    }

    /** Kind of the entry whose record, checked before, begins at {@code at}. */
    static int kindAt(ByteBuffer buffer, int at) {
        return buffer.getInt(at + FRAME + 25);
    }

    /** Its data. */
    static ByteBuffer dataAt(ByteBuffer buffer, int at, int size) {
        return slice(buffer, at + FRAME + ENTRY_HEAD, at + size);
    }

    /** The entry whose record of {@code size} bytes, checked before, begins at {@code at}. */
    static Entry entry(ByteBuffer buffer, int at, int size) {
        ByteBuffer data = slice(buffer, at + FRAME + ENTRY_HEAD, at + size);
        return Entry.newBuilder()
                .setIndex(buffer.getLong(at + FRAME + 9))
                .setTerm(buffer.getLong(at + FRAME + 17))
                .setKindValue(buffer.getInt(at + FRAME + 25))
                .setData(ByteString.copyFrom(data))
                .build();
    }

    private static ByteBuffer slice(ByteBuffer buffer, int from, int to) {
        return buffer.duplicate().limit(to).position(from);
    }

    private static int crc(ByteBuffer buffer, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(slice(buffer, from, from + length));
        return (int) crc.getValue();
    }
}
