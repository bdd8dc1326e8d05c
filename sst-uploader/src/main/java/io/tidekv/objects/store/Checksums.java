package io.tidekv.objects.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** CRC32C (Castagnoli) of bytes and files, as a signed int with the 32 bits of the checksum. */
public final class Checksums {
    private static final int CHUNK_BYTES = 256 << 10;

    private Checksums() {}

    public static int crc32c(byte[] bytes) {
        return crc32c(bytes, 0, bytes.length);
    }

    public static int crc32c(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /** Reads the whole file. */
    public static int crc32c(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (channel.read(chunk.clear()) >= 0) {
                crc.update(chunk.flip());
            }
        }
        return (int) crc.getValue();
    }

    /** Eight hexadecimal digits. */
    public static String hex(int crc32c) {
        String digits = Integer.toHexString(crc32c);
        return "0".repeat(8 - digits.length()) + digits;
    }
}
