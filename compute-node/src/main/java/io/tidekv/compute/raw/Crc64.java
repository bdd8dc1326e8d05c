package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;

/** CRC-64 with ECMA's polynomial, reflected, as TiKV's checksums use it (CRC-64/XZ). */
final class Crc64 {
    private static final long POLYNOMIAL = 0xC96C5795D7870F42L;
    private static final long[] TABLE = table();

    private long crc = -1L;

    Crc64 update(ByteString bytes) {
        for (int i = 0; i < bytes.size(); i++) {
            crc = TABLE[(int) ((crc ^ bytes.byteAt(i)) & 0xFF)] ^ (crc >>> 8);
        }
        return this;
    }

    long value() {
        return ~crc;
    }

    private static long[] table() {
        long[] table = new long[256];
        for (int i = 0; i < table.length; i++) {
            long crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) != 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
            }
            table[i] = crc;
        }
        return table;
    }
}
