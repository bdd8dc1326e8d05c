package io.tidekv.wal.storage;

import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The first block of a segment file. It is written after the predecessor was synced whole, so it
 * vouches for the predecessor's {@code previousEnd} bytes.
 *
 * @param previousEnd length of the segment before; 0 for the first
 * @param firstBatch number of the first batch in this segment
 */
record SegmentHeader(UUID node, long segment, long previousEnd, long firstBatch) {
    /** Unit in which batches are laid out, so that no write touches a synced sector again. */
    static final int BLOCK = 512;

    static final int FORMAT = 2;

    private static final long MAGIC = 0x5469_6465_5741_4C31L; // "TideWAL1"
    private static final int CRC_AT = 52;

    static String fileName(long segment) {
        return String.format(java.util.Locale.ROOT, "%016x.wal", segment);
    }

    /** Number of a segment file; -1 for other files. */
    static long number(String fileName) {
        if (!fileName.matches("[0-9a-f]{16}\\.wal")) {
            return -1;
        }
        return Long.parseUnsignedLong(fileName.substring(0, 16), 16);
    }

    ByteBuffer encode() {
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        block.putLong(MAGIC).putInt(FORMAT);
        block.putLong(node.getMostSignificantBits()).putLong(node.getLeastSignificantBits());
        block.putLong(segment).putLong(previousEnd).putLong(firstBatch);
        block.putInt(CRC_AT, crc(block));
        return block.clear();
    }

    /** The header in {@code block}; null when it is torn or damaged. */
    static @Nullable SegmentHeader decode(ByteBuffer block) {
        if (block.limit() < BLOCK
                || block.getLong(0) != MAGIC
                || block.getInt(CRC_AT) != crc(block)) {
            return null;
        }
        return new SegmentHeader(
                new UUID(block.getLong(12), block.getLong(20)),
                block.getLong(28),
                block.getLong(36),
                block.getLong(44));
    }

    /** Version of the format that {@code block} names; -1 when it is no segment at all. */
    static int format(ByteBuffer block) {
        return block.limit() >= 12 && block.getLong(0) == MAGIC ? block.getInt(8) : -1;
    }

    private static int crc(ByteBuffer block) {
        CRC32C crc = new CRC32C();
        crc.update(block.duplicate().position(0).limit(CRC_AT));
        return (int) crc.getValue();
    }
}
