package io.tidekv.objects.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;

/**
 * The last {@value #BYTES} bytes of a file of the {@code file:} store: the content's length (8) and
 * CRC32C (4), the CRC32C of these twelve bytes (4), and a magic number (8), big-endian. A file
 * without it was cut short, or is none of ours.
 */
record FileTrailer(long length, int crc32c) {
    static final int BYTES = 24;
    private static final long MAGIC = 0x5469_6465_4f62_6a31L; // "TideObj1"

    ByteBuffer encode() {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES).putLong(length).putInt(crc32c);
        return bytes.putInt(Checksums.crc32c(bytes.array(), 0, 12)).putLong(MAGIC).flip();
    }

    /** Null when the file does not end in a trailer that fits it. */
    static @Nullable FileTrailer read(FileChannel file) throws IOException {
        long fileLength = file.size();
        if (fileLength < BYTES) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, fileLength - BYTES + bytes.position()) < 0) {
                return null;
            }
        }
        bytes.flip();
        FileTrailer trailer = new FileTrailer(bytes.getLong(), bytes.getInt());
        boolean whole =
                bytes.getInt() == Checksums.crc32c(bytes.array(), 0, 12)
                        && bytes.getLong() == MAGIC
                        && trailer.length == fileLength - BYTES;
        return whole ? trailer : null;
    }
}
