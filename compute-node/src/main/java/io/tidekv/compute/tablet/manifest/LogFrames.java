package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * RocksDB's log framing: blocks of 32 KB; a record is cut into fragments of (masked CRC32C, length,
 * type, payload) that never cross a block.
 */
final class LogFrames {
    static final int BLOCK = 32 << 10;
    private static final int HEADER = 7;
    private static final int FULL = 1;
    private static final int FIRST = 2;
    private static final int MIDDLE = 3;
    private static final int LAST = 4;

    private LogFrames() {}

    /** All records. The bytes must hold whole records and nothing else. */
    static List<ByteString> read(ByteString log) {
        List<ByteString> records = new ArrayList<>();
        ByteBuffer bytes = log.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        @Nullable ByteString begun = null;
        int at = 0;
        while (at < log.size()) {
            int left = BLOCK - at % BLOCK;
            if (left < HEADER) {
                at += left;
                continue;
            }
            int end = fragmentEnd(bytes, log, at);
            ByteString payload = log.substring(at + HEADER, end);
            int type = bytes.get(at + 6);
            boolean starts = type == FULL || type == FIRST;
            if (type < FULL || type > LAST || starts != (begun == null)) {
                throw new ManifestException("fragment of type " + type + " out of place at " + at);
            }
            ByteString soFar = begun == null ? payload : begun.concat(payload);
            if (type == FULL || type == LAST) {
                records.add(soFar);
                begun = null;
            } else {
                begun = soFar;
            }
            at = end;
        }
        if (begun != null) {
            throw new ManifestException("the last record is cut off");
        }
        return records;
    }

    /** Checks the fragment at {@code at} and returns where it ends. */
    private static int fragmentEnd(ByteBuffer bytes, ByteString log, int at) {
        if (at + HEADER > log.size()) {
            throw new ManifestException("cut off inside a fragment header at " + at);
        }
        int end = at + HEADER + (bytes.getShort(at + 4) & 0xFFFF);
        if (end > log.size() || (end - 1) / BLOCK != at / BLOCK) {
            throw new ManifestException("a fragment runs past its block or the end at " + at);
        }
        CRC32C crc = new CRC32C();
        crc.update(log.substring(at + 6, end).asReadOnlyByteBuffer());
        if (mask((int) crc.getValue()) != bytes.getInt(at)) {
            throw new ManifestException("checksum mismatch at " + at);
        }
        return end;
    }

    static void append(ByteArrayOutputStream log, ByteString record) {
        int offset = 0;
        boolean first = true;
        boolean last;
        do {
            int left = BLOCK - log.size() % BLOCK;
            if (left < HEADER) {
                log.writeBytes(new byte[left]);
                left = BLOCK;
            }
            int length = Math.min(left - HEADER, record.size() - offset);
            last = offset + length == record.size();
            int type = first ? (last ? FULL : FIRST) : (last ? LAST : MIDDLE);
            ByteString payload = record.substring(offset, offset + length);
            CRC32C crc = new CRC32C();
            crc.update(type);
            crc.update(payload.asReadOnlyByteBuffer());
            ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
            header.putInt(mask((int) crc.getValue())).putShort((short) length).put((byte) type);
            log.writeBytes(header.array());
            log.writeBytes(payload.toByteArray());
            offset += length;
            first = false;
        } while (!last);
    }

    /** RocksDB's crc32c::Mask: so that a CRC over bytes that hold CRCs keeps its strength. */
    private static int mask(int crc) {
        return ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
    }
}
