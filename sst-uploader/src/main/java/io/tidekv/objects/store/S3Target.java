package io.tidekv.objects.store;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An object that is to be written: its place, length and checksum. */
record S3Target(S3Location location, String name, long length, int crc32c) {
    /** Kept by every store, also those that know nothing of checksums. */
    private static final String CRC_KEY = "tidekv-crc32c";

    Map<String, String> metadata() {
        return Map.of(CRC_KEY, Checksums.hex(crc32c));
    }

    /** From an object's metadata; null for an object that TideKV did not write. */
    static @Nullable Integer crc32c(Map<String, String> metadata) {
        String hex = metadata.get(CRC_KEY);
        try {
            return hex == null ? null : Integer.parseUnsignedInt(hex, 16);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** As in the header {@code x-amz-checksum-crc32c}. */
    static String base64(int crc32c) {
        byte[] bytes = ByteBuffer.allocate(4).putInt(crc32c).array();
        return Base64.getEncoder().encodeToString(bytes);
    }
}
