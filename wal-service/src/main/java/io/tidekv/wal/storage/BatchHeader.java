package io.tidekv.wal.storage;

import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Begins a batch: what was written between two syncs. It is the sync mark of what lies before it.
 *
 * @param number counts up by one through all segments
 * @param length bytes of records behind the header; zeros fill the last block
 * @param synced everything before this place was durable when this header was written
 * @param oldest the oldest segment that is still needed: it and its successors must be there
 * @param wallMillis the node's wall clock when the batch was written; 0: not known
 * @param sum of the records' checksums, by {@link #add}: a torn batch may lie over bytes of an
 *     older file, whose records are whole but not its own
 */
record BatchHeader(
        long number, int length, Position synced, long oldest, long wallMillis, int sum) {
    static final int SIZE = 52;

    private static final int MAGIC = 0x5442_4154; // "TBAT"
    private static final int CRC_AT = 48;

    /** Writes the header at the start of {@code buffer}. */
    void encode(ByteBuffer buffer, UUID node, long segment) {
        buffer.putInt(0, MAGIC).putInt(4, length).putLong(8, number);
        buffer.putLong(16, synced.segment()).putInt(24, synced.offset()).putLong(28, oldest);
        buffer.putLong(36, wallMillis).putInt(44, sum);
        buffer.putInt(CRC_AT, crc(buffer, 0, node, segment));
    }

    /**
     * The header at {@code at} in {@code buffer}; null when there is none of this segment of this
     * node.
     */
    static @Nullable BatchHeader decode(ByteBuffer buffer, int at, UUID node, long segment) {
        if (buffer.limit() - at < SIZE
                || buffer.getInt(at) != MAGIC
                || buffer.getInt(at + CRC_AT) != crc(buffer, at, node, segment)) {
            return null;
        }
        return new BatchHeader(
                buffer.getLong(at + 8),
                buffer.getInt(at + 4),
                new Position(buffer.getLong(at + 16), buffer.getInt(at + 24)),
                buffer.getLong(at + 28),
                buffer.getLong(at + 36),
                buffer.getInt(at + 44));
    }

    /** The sum of one more record. A single one that is exchanged always changes it. */
    static int add(int sum, int crc) {
        return 31 * sum + crc;
    }

    /** Length of the records behind the header at the start of {@code buffer}. */
    static int length(ByteBuffer buffer) {
        return buffer.getInt(4);
    }

    /** End of the batch, a multiple of the block size; the batch begins at {@code offset}. */
    long end(long offset) {
        return roundUp(offset + SIZE + length);
    }

    static long roundUp(long bytes) {
        return (bytes + SegmentHeader.BLOCK - 1) & -SegmentHeader.BLOCK;
    }

    /** Covers node and segment too: bytes of another file never pass for a batch of this one. */
    private static int crc(ByteBuffer buffer, int at, UUID node, long segment) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.duplicate().limit(at + CRC_AT).position(at));
        ByteBuffer place = ByteBuffer.allocate(24);
        place.putLong(node.getMostSignificantBits()).putLong(node.getLeastSignificantBits());
        crc.update(place.putLong(segment).flip());
        return (int) crc.getValue();
    }
}
