package io.tidekv.wal.storage;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.proto.wal.VoterMeta;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a full segment holds, without the data of its entries: a start reads this file in place of
 * the segment. It is made when the segment is full, not synced, and may be missing: then the
 * segment is read. What it says was checked when it was written; the segment's own bytes are
 * checked when an entry is read.
 */
final class SegmentIndex {
    private static final long MAGIC = 0x5469_6465_4944_5831L; // "TideIDX1"
    private static final int FORMAT = 1;
    private static final int HEAD = 72;
    private static final int ENTRY = 33;

    /** Beyond this the segment gets no index, for it would need too much memory. */
    private static final int BYTES_MAX = 32 << 20;

    private ByteBuffer body = ByteBuffer.allocate(4096);
    private boolean tooLarge;

    /** What an index says of its whole segment. */
    record Loaded(long nextBatch, long oldest, ByteBuffer body) {}

    static String fileName(long segment) {
        return String.format(Locale.ROOT, "%016x.idx", segment);
    }

    /** Number of the segment that an index file belongs to; -1 for other files. */
    static long number(String fileName) {
        return fileName.endsWith(".idx")
                ? SegmentHeader.number(fileName.replace(".idx", ".wal"))
                : -1;
    }

    /** Forgets everything, for the next segment; keeps the memory, which that will need too. */
    void clear() {
        body.clear();
        tooLarge = false;
    }

    /** Whether the segment holds no records so far. */
    boolean isEmpty() {
        return body.position() == 0 && !tooLarge;
    }

    /** Adds a record of the segment; in the order of the segment. */
    void add(LogRecord record, int offset, int size) {
        if (record instanceof LogRecord.Meta meta) {
            byte[] message = meta.meta().toByteArray();
            byte type = meta.reset() ? LogRecord.Type.RESET : LogRecord.Type.META;
            if (room(17 + message.length)) {
                body.put(type).putLong(meta.regionId()).putInt(offset).putInt(size);
                body.put(message);
            }
        } else if (record instanceof LogRecord.Written entry && room(ENTRY)) {
            byte type = entry.moved() ? LogRecord.Type.MOVED_ENTRY : LogRecord.Type.ENTRY;
            body.put(type).putLong(entry.regionId()).putInt(offset).putInt(size);
            body.putLong(entry.index()).putLong(entry.term());
        }
    }

    private boolean room(int bytes) {
        tooLarge |= body.position() + bytes > BYTES_MAX;
        if (!tooLarge && body.remaining() < bytes) {
            int doubled = Math.max(body.capacity() * 2, body.position() + bytes);
            body = ByteBuffer.allocate(doubled).put(body.flip());
        }
        return !tooLarge;
    }

    /** Writes the file of a segment that has {@code length} bytes and is full. */
    void write(
            WalFiles files,
            UUID node,
            long segment,
            long length,
            long firstBatch,
            long nextBatch,
            long oldest)
            throws IOException {
        if (tooLarge) {
            return;
        }
        ByteBuffer all = ByteBuffer.allocate(HEAD + body.position() + 4);
        all.putLong(MAGIC).putInt(FORMAT);
        all.putLong(node.getMostSignificantBits()).putLong(node.getLeastSignificantBits());
        all.putLong(segment).putLong(length).putLong(firstBatch).putLong(nextBatch);
        all.putLong(oldest).putInt(body.position());
        all.put(body.duplicate().flip());
        all.putInt(crc(all.duplicate().flip()));
        try (WalFile file = files.create(fileName(segment))) {
            file.write(0, all.flip());
        }
    }

    /** The index of a full segment; null when there is none that is whole and fits. */
    static @Nullable Loaded load(WalFiles files, SegmentHeader header, long length)
            throws IOException {
        ByteBuffer all = whole(files, header.node(), header.segment());
        boolean fits =
                all != null && all.getLong(36) == length && all.getLong(44) == header.firstBatch();
        return all != null && fits ? loaded(all) : null;
    }

    /** The same of a segment that may be damaged, so that nothing else can be compared. */
    static @Nullable Loaded loadAny(WalFiles files, UUID node, long segment) throws IOException {
        if (!files.list().contains(fileName(segment))) {
            return null;
        }
        ByteBuffer all = whole(files, node, segment);
        return all == null ? null : loaded(all);
    }

    private static Loaded loaded(ByteBuffer all) {
        int end = all.limit() - 4;
        return new Loaded(all.getLong(52), all.getLong(60), all.limit(end).position(HEAD));
    }

    /** All bytes of the index; null when it is not whole, or another's. */
    private static @Nullable ByteBuffer whole(WalFiles files, UUID node, long segment)
            throws IOException {
        ByteBuffer all;
        try (WalFile file = files.open(fileName(segment))) {
            long size = file.size();
            if (size < HEAD + 4 || size > HEAD + 4L + BYTES_MAX) {
                return null;
            }
            all = ByteBuffer.allocate((int) size);
            file.read(0, all);
            all.flip();
        }
        int end = all.limit() - 4;
        boolean whole =
                all.limit() == all.capacity()
                        && all.getInt(end) == crc(all.duplicate().limit(end))
                        && all.getLong(0) == MAGIC
                        && all.getInt(8) == FORMAT
                        && all.getInt(68) == end - HEAD;
        boolean fits =
                whole
                        && all.getLong(12) == node.getMostSignificantBits()
                        && all.getLong(20) == node.getLeastSignificantBits()
                        && all.getLong(28) == segment;
        return fits ? all : null;
    }

    /** Deletes the file of a segment, if there is one; not durable before the folder is synced. */
    static void delete(WalFiles files, long segment) throws IOException {
        if (files.list().contains(fileName(segment))) {
            files.delete(fileName(segment));
        }
    }

    /** Visits the records as reading the segment would. */
    static void replay(long segment, Loaded index, SegmentScanner.Visitor visitor)
            throws IOException {
        ByteBuffer body = index.body;
        try {
            while (body.hasRemaining()) {
                byte type = body.get();
                long regionId = body.getLong();
                int offset = body.getInt();
                int size = body.getInt();
                LogRecord record =
                        type == LogRecord.Type.META || type == LogRecord.Type.RESET
                                ? meta(body, type, regionId, size)
                                : new LogRecord.Written(
                                        regionId,
                                        body.getLong(),
                                        body.getLong(),
                                        type == LogRecord.Type.MOVED_ENTRY);
                visitor.visit(record, Position.pack(segment, offset), size);
            }
        } catch (BufferUnderflowException | InvalidProtocolBufferException e) {
            throw new IOException(fileName(segment) + " cannot be understood: delete it", e);
        }
    }

    private static LogRecord meta(ByteBuffer body, byte type, long regionId, int size)
            throws InvalidProtocolBufferException {
        int length = size - LogRecord.FRAME - LogRecord.META_HEAD;
        ByteBuffer message = body.slice(body.position(), length);
        body.position(body.position() + length);
        return new LogRecord.Meta(
                regionId, VoterMeta.parseFrom(message), type == LogRecord.Type.RESET);
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
