package io.tidekv.wal.storage;

import java.nio.ByteBuffer;
import java.util.UUID;

/** The batch under way: records that are not in the file yet. */
final class BatchBuffer {
    private static final int SMALLEST = 64 << 10;
    private static final int KEPT = 4 << 20;

    private ByteBuffer buffer = ByteBuffer.allocateDirect(SMALLEST);

    BatchBuffer() {
        clear();
    }

    boolean isEmpty() {
        return buffer.position() == BatchHeader.SIZE;
    }

    /** Bytes so far, with room for the header. */
    int size() {
        return buffer.position();
    }

    /** The buffer, at whose position {@code bytes} more can be put. */
    ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes + SegmentHeader.BLOCK) {
            int wanted = Math.addExact(buffer.position(), bytes + SegmentHeader.BLOCK);
            int doubled = Math.min(buffer.capacity() * 2, KEPT);
            ByteBuffer grown = ByteBuffer.allocateDirect(Math.max(wanted + wanted / 4, doubled));
            buffer = grown.put(buffer.flip());
        }
        return buffer;
    }

    /** For reading what is not in the file yet; {@code at} counts from the start of the batch. */
    ByteBuffer view(int at, int size) {
        return buffer.duplicate().limit(at + size).position(at).slice();
    }

    /** The whole batch, header first, zeros up to the end of its last block. */
    ByteBuffer seal(
            long number, Position synced, long oldest, long wallMillis, UUID node, long segment) {
        int length = buffer.position() - BatchHeader.SIZE;
        int end = (int) BatchHeader.roundUp(buffer.position());
        buffer.limit(end);
        while (buffer.hasRemaining()) {
            buffer.put((byte) 0);
        }
        new BatchHeader(number, length, synced, oldest, wallMillis, sum(length))
                .encode(buffer, node, segment);
        return buffer.duplicate().flip();
    }

    private int sum(int length) {
        int sum = 0;
        for (int at = BatchHeader.SIZE; at < BatchHeader.SIZE + length; ) {
            sum = BatchHeader.add(sum, LogRecord.crcAt(buffer, at));
            at += LogRecord.sizeAt(buffer, at);
        }
        return sum;
    }

    void clear() {
        if (buffer.capacity() > KEPT) {
            buffer = ByteBuffer.allocateDirect(SMALLEST);
        }
        buffer.clear().position(BatchHeader.SIZE);
    }
}
