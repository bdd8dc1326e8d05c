package io.tidekv.compute.region;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.Invariants;
import io.tidekv.proto.region.RegionShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Serialised RocksDB write batches as bytes: checked against a region's range, and joined. The form
 * is that of {@link io.tidekv.compute.engine.WriteBatchBuilder}.
 */
final class BatchBytes {
    private static final int HEADER = 12;
    private static final int COUNT_AT = 8;

    private final ByteString batch;
    private int at = HEADER;

    /** The operation that the walk stands at: where it and its key begin, and what it names. */
    private int from;

    private int keyAt;
    private ByteString key = ByteString.EMPTY;
    private @Nullable ByteString rangeEnd;

    private BatchBytes(ByteString batch) {
        this.batch = batch;
    }

    /** A key of the batch that lies outside the region, or null. Copies nothing. */
    static @Nullable ByteString keyOutside(ByteString batch, RegionShape shape) {
        if (shape.getStartKey().isEmpty() && shape.getEndKey().isEmpty()) {
            return null;
        }
        BatchBytes walk = new BatchBytes(batch);
        while (walk.next()) {
            if (!RegionRange.contains(shape, walk.key)) {
                return walk.key;
            }
            ByteString end = walk.rangeEnd;
            // The end of a deleted range may be the region's own.
            if (end != null
                    && !end.equals(shape.getEndKey())
                    && !RegionRange.contains(shape, end)) {
                return end;
            }
        }
        return null;
    }

    /** One batch that does what these do, in order. */
    static ByteString join(List<ByteString> batches) {
        if (batches.size() == 1) {
            return batches.get(0);
        }
        int size = HEADER;
        for (ByteString batch : batches) {
            size += batch.size() - HEADER;
        }
        byte[] joined = new byte[size];
        int count = 0;
        int to = HEADER;
        for (ByteString batch : batches) {
            int length = batch.size() - HEADER;
            batch.substring(HEADER).copyTo(joined, to);
            to += length;
            count += count(batch);
        }
        setCount(joined, count);
        return UnsafeByteOperations.unsafeWrap(joined);
    }

    /** The part of a batch that concerns the region; null when there is none. */
    static @Nullable ByteString within(ByteString batch, RegionShape shape) {
        BatchBytes walk = new BatchBytes(batch);
        ByteString.Output kept = ByteString.newOutput(batch.size());
        int count = 0;
        while (walk.next()) {
            if (walk.keep(shape, kept)) {
                count++;
            }
        }
        if (count == 0) {
            return null;
        }
        byte[] header = new byte[HEADER];
        setCount(header, count);
        return ByteString.copyFrom(header).concat(kept.toByteString());
    }

    /** Copies the operation if it concerns the region; a range of keys is cut to it. */
    private boolean keep(RegionShape shape, ByteString.Output kept) {
        if (rangeEnd != null) {
            return keepRange(shape, batch.substring(from, keyAt), key, rangeEnd, kept);
        }
        if (RegionRange.contains(shape, key)) {
            write(kept, batch.substring(from, at));
            return true;
        }
        return false;
    }

    private static boolean keepRange(
            RegionShape shape,
            ByteString head,
            ByteString from,
            ByteString to,
            ByteString.Output kept) {
        ByteString start = shape.getStartKey();
        ByteString end = shape.getEndKey();
        ByteString first = RegionRange.KEY_ORDER.compare(from, start) < 0 ? start : from;
        ByteString last = !end.isEmpty() && RegionRange.KEY_ORDER.compare(to, end) > 0 ? end : to;
        if (RegionRange.KEY_ORDER.compare(first, last) >= 0) {
            return false;
        }
        write(kept, head);
        for (ByteString bound : List.of(first, last)) {
            int length = bound.size();
            while (length > 0x7F) {
                kept.write((length & 0x7F) | 0x80);
                length >>>= 7;
            }
            kept.write(length);
            write(kept, bound);
        }
        return true;
    }

    private static void write(ByteString.Output kept, ByteString bytes) {
        try {
            bytes.writeTo(kept);
        } catch (IOException e) {
            throw new UncheckedIOException("in memory", e);
        }
    }

    /** The first key that a batch names; null when it is empty. */
    static @Nullable ByteString firstKey(ByteString batch) {
        BatchBytes walk = new BatchBytes(batch);
        return walk.next() ? walk.key : null;
    }

    /** How many operations a batch says that it has. */
    static int count(ByteString batch) {
        int count = 0;
        for (int i = 0; i < 4; i++) {
            count |= (batch.byteAt(COUNT_AT + i) & 0xFF) << (8 * i);
        }
        return count;
    }

    private static void setCount(byte[] header, int count) {
        for (int i = 0; i < 4; i++) {
            header[COUNT_AT + i] = (byte) (count >>> (8 * i));
        }
    }

    /** Goes to the next operation; false at the end. */
    private boolean next() {
        if (at >= batch.size()) {
            return false;
        }
        from = at;
        int tag = batch.byteAt(at++) & 0xFF;
        if (tag == 0x4 || tag == 0x5 || tag == 0xE) {
            varint();
        }
        keyAt = at;
        key = bytes();
        rangeEnd = null;
        switch (tag) {
            case 0x1, 0x5 -> {
                int length = varint();
                at += length;
            }
            case 0xF, 0xE -> rangeEnd = bytes();
            default -> Invariants.check(tag == 0x0 || tag == 0x4, "unknown batch operation");
        }
        return true;
    }

    private ByteString bytes() {
        int length = varint();
        ByteString bytes = batch.substring(at, at + length);
        at += length;
        return bytes;
    }

    private int varint() {
        int value = 0;
        int shift = 0;
        while (true) {
            int next = batch.byteAt(at++);
            value |= (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
            shift += 7;
        }
    }
}
