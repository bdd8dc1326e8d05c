package io.tidekv.wal.storage;

import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The batch under way: records that are not in the file yet. The buffer begins where a block of the
 * file does, so that whole blocks can be written from it: in front of the batch lies what its first
 * block holds already, the end of what was written before, when that is known.
 */
final class BatchBuffer {
    private static final int SMALLEST = 64 << 10;
    private static final int KEPT = 4 << 20;

    private ByteBuffer buffer = allocate(SMALLEST);
    // Bytes in front of the batch.
    private int lead;
    private boolean leadKnown;

    private static ByteBuffer allocate(int bytes) {
        int blocks = (bytes + WalFile.BLOCK - 1) & -WalFile.BLOCK;
        return ByteBuffer.allocateDirect(blocks + WalFile.BLOCK).alignedSlice(WalFile.BLOCK);
    }

    /** The batch will be written at {@code offset}, behind something that is not known here. */
    void beginAt(long offset) {
        lead = (int) (offset % WalFile.BLOCK);
        leadKnown = lead == 0;
        buffer.clear().position(lead + BatchHeader.SIZE);
    }

    boolean isEmpty() {
        return buffer.position() == lead + BatchHeader.SIZE;
    }

    /** Bytes so far, with room for the header. */
    int size() {
        return buffer.position() - lead;
    }

    /** The buffer, at whose position {@code bytes} more can be put. */
    ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes + WalFile.BLOCK) {
            int wanted = Math.addExact(buffer.position(), bytes + WalFile.BLOCK);
            int doubled = Math.min(buffer.capacity() * 2, KEPT);
            ByteBuffer grown = allocate(Math.max(wanted + wanted / 4, doubled));
            buffer = grown.put(buffer.flip());
        }
        return buffer;
    }

    /** For reading what is not in the file yet; {@code at} counts from the start of the batch. */
    ByteBuffer view(int at, int size) {
        return buffer.duplicate().limit(lead + at + size).position(lead + at).slice();
    }

    /** The whole batch, header first, zeros up to the end of its last sector. */
    ByteBuffer seal(
            long number, Position synced, long oldest, long wallMillis, UUID node, long segment) {
        int length = size() - BatchHeader.SIZE;
        fill((int) BatchHeader.roundUp(buffer.position()));
        ByteBuffer batch = view(0, size());
        new BatchHeader(number, length, synced, oldest, wallMillis, sum(length))
                .encode(batch, node, segment);
        return batch;
    }

    private void fill(int end) {
        while (buffer.position() < end) {
            buffer.put((byte) 0);
        }
    }

    private int sum(int length) {
        int sum = 0;
        int at = lead + BatchHeader.SIZE;
        for (int end = at + length; at < end; ) {
            sum = BatchHeader.add(sum, LogRecord.crcAt(buffer, at));
            at += LogRecord.sizeAt(buffer, at);
        }
        return sum;
    }

    /**
     * The sealed batch as the whole blocks of the file that it lies in, the first of them with what
     * it held before and the last filled up with zeros; null when the first is not known.
     */
    @Nullable ByteBuffer blocks() {
        if (!leadKnown) {
            return null;
        }
        int end = buffer.position();
        fill((end + WalFile.BLOCK - 1) & -WalFile.BLOCK);
        ByteBuffer blocks = buffer.duplicate().flip();
        buffer.position(end);
        return blocks;
    }

    /** The sealed batch has been written: begins the next one, right behind it. */
    void next() {
        int end = buffer.position();
        int tail = end % WalFile.BLOCK;
        leadKnown |= end - tail > 0;
        ByteBuffer before = buffer;
        if (buffer.capacity() > KEPT + WalFile.BLOCK) {
            buffer = allocate(SMALLEST);
        }
        buffer.clear().put(0, before, end - tail, tail).position(tail + BatchHeader.SIZE);
        lead = tail;
    }
}
