package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads a file front to back through a buffer that grows to the greatest piece asked for. */
final class Window {
    private static final int AHEAD = 1 << 20;

    private final WalFile file;
    private ByteBuffer buffer = ByteBuffer.allocate(0);
    private long base;

    Window(WalFile file) {
        this.file = file;
    }

    /**
     * Loads {@code length} bytes from {@code offset} on, or fewer at the end of the file. The
     * buffer is valid until the next call; {@link #at} tells where in it the bytes are, its limit
     * where the file's bytes end.
     */
    ByteBuffer load(long offset, int length) throws IOException {
        if (offset < base || offset + length > base + buffer.limit()) {
            int wanted = Math.max(length, AHEAD);
            if (buffer.capacity() < wanted) {
                buffer = ByteBuffer.allocate(wanted);
            }
            buffer.clear();
            file.read(offset, buffer);
            buffer.flip();
            base = offset;
        }
        return buffer;
    }

    int at(long offset) {
        return (int) (offset - base);
    }
}
