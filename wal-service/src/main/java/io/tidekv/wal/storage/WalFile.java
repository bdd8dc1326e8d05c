package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;

/** An open file. Positions count from 0. One thread at a time. */
public interface WalFile extends AutoCloseable {
    /** What the bytes of {@link #writeBlocks} come in. */
    int BLOCK = 4096;

    String name();

    long size() throws IOException;

    /** Writes all remaining bytes of {@code from} at {@code position}. */
    void write(long position, ByteBuffer from) throws IOException;

    /**
     * As {@link #write}, past the cache of the file system where it can be: for what is not about
     * to be read. Position and length are multiples of {@link #BLOCK}, as is the address of the
     * buffer's first byte in memory.
     */
    void writeBlocks(long position, ByteBuffer from) throws IOException;

    /** Fills {@code into}, but for what lies beyond the end of the file. */
    void read(long position, ByteBuffer into) throws IOException;

    /** Cuts the file to {@code size}. */
    void truncate(long size) throws IOException;

    /** Returns when everything written and cut so far survives a loss of power. */
    void sync() throws IOException;

    @Override
    void close() throws IOException;
}
