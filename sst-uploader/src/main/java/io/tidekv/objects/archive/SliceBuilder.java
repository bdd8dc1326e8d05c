package io.tidekv.objects.archive;

import io.tidekv.objects.store.Checksums;
import io.tidekv.proto.wal.VoterMeta;
import java.nio.ByteBuffer;

/** Collects what a part will hold of one region. */
final class SliceBuilder {
    private static final int SMALLEST = 128;

    /** Times are told to this precision. */
    private static final long PRECISION_MILLIS = 10;

    private ByteBuffer ops = ByteBuffer.allocate(0);
    private ByteBuffer data = ByteBuffer.allocate(0);
    private long lastMillis;
    private long firstIndex;
    private long lastIndex;
    private long logId;
    private long commitIndex;
    private long commitTerm;

    void committed(long newLogId, long index, long term) {
        logId = newLogId;
        commitIndex = index;
        commitTerm = term;
    }

    void meta(VoterMeta meta, boolean reset, long wallMillis) {
        time(wallMillis);
        byte[] message = meta.toByteArray();
        ops = room(ops, 5 + message.length);
        ops.put(reset ? ArchiveOp.Type.RESET : ArchiveOp.Type.META);
        ops.putInt(message.length).put(message);
    }

    void entry(
            long index, long term, int kind, boolean moved, ByteBuffer content, long wallMillis) {
        time(wallMillis);
        int length = content.remaining();
        data = room(data, length);
        int at = data.position();
        data.put(content);
        ops = room(ops, 29);
        ops.put(moved ? ArchiveOp.Type.MOVED : ArchiveOp.Type.ENTRY);
        ops.putLong(index).putLong(term).putInt(kind).putInt(length);
        ops.putInt(Checksums.crc32c(data.array(), at, length));
        firstIndex = lastIndex == 0 ? index : Math.min(firstIndex, index);
        lastIndex = Math.max(lastIndex, index);
    }

    private void time(long wallMillis) {
        if (wallMillis != 0 && Math.abs(wallMillis - lastMillis) >= PRECISION_MILLIS) {
            ops = room(ops, 9);
            ops.put(ArchiveOp.Type.TIME).putLong(wallMillis);
            lastMillis = wallMillis;
        }
    }

    private static ByteBuffer room(ByteBuffer buffer, int bytes) {
        if (buffer.remaining() >= bytes) {
            return buffer;
        }
        int wanted = Math.max(buffer.position() + bytes, buffer.capacity() * 2);
        return ByteBuffer.allocate(Math.max(SMALLEST, wanted)).put(buffer.flip());
    }

    int length() {
        return ops.position() + data.position();
    }

    /** Writes the slice and returns its line of the footer. */
    RegionSlice write(long regionId, ByteBuffer out) {
        int offset = out.position();
        out.put(ops.array(), 0, ops.position());
        out.put(data.array(), 0, data.position());
        return new RegionSlice(
                regionId,
                logId,
                commitIndex,
                commitTerm,
                offset,
                ops.position(),
                Checksums.crc32c(ops.array(), 0, ops.position()),
                data.position(),
                firstIndex,
                lastIndex);
    }
}
