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

    private BatchBytes(ByteString batch) {
        this.batch = batch;
    }

    /** A key of the batch that lies outside the region, or null. Copies nothing. */
    static @Nullable ByteString keyOutside(ByteString batch, RegionShape shape) {
        if (shape.getStartKey().isEmpty() && shape.getEndKey().isEmpty()) {
            return null;
        }
        BatchBytes walk = new BatchBytes(batch);
        while (walk.at < batch.size()) {
            ByteString outside = walk.operation(shape);
            if (outside != null) {
                return outside;
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
        for (int i = 0; i < 4; i++) {
            joined[COUNT_AT + i] = (byte) (count >>> (8 * i));
        }
        return UnsafeByteOperations.unsafeWrap(joined);
    }

    /** The part of a batch that concerns the region; null when there is none. */
    static @Nullable ByteString within(ByteString batch, RegionShape shape) {
        BatchBytes walk = new BatchBytes(batch);
        ByteString.Output kept = ByteString.newOutput(batch.size());
        int count = 0;
        while (walk.at < batch.size()) {
            if (walk.keep(shape, kept)) {
                count++;
            }
        }
        if (count == 0) {
            return null;
        }
        byte[] header = new byte[HEADER];
        for (int i = 0; i < 4; i++) {
            header[COUNT_AT + i] = (byte) (count >>> (8 * i));
        }
        return ByteString.copyFrom(header).concat(kept.toByteString());
    }

    /** Copies the next operation if it concerns the region; a range of keys is cut to it. */
    private boolean keep(RegionShape shape, ByteString.Output kept) {
        int from = at;
        int tag = batch.byteAt(at++) & 0xFF;
        if (tag == 0x4 || tag == 0x5 || tag == 0xE) {
            varint();
        }
        ByteString head = batch.substring(from, at);
        ByteString key = bytes();
        if (tag == 0xF || tag == 0xE) {
            return keepRange(shape, head, key, bytes(), kept);
        }
        if (tag == 0x1 || tag == 0x5) {
            bytes();
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
        if (batch.size() <= HEADER) {
            return null;
        }
        BatchBytes walk = new BatchBytes(batch);
        int tag = batch.byteAt(walk.at++) & 0xFF;
        if (tag == 0x4 || tag == 0x5 || tag == 0xE) {
            walk.varint();
        }
        return walk.bytes();
    }

    /** How many operations a batch says that it has. */
    static int count(ByteString batch) {
        int count = 0;
        for (int i = 0; i < 4; i++) {
            count |= (batch.byteAt(COUNT_AT + i) & 0xFF) << (8 * i);
        }
        return count;
    }

    private @Nullable ByteString operation(RegionShape shape) {
        int tag = batch.byteAt(at++) & 0xFF;
        boolean inFamily = tag == 0x4 || tag == 0x5 || tag == 0xE;
        if (inFamily) {
            varint();
        }
        ByteString key = bytes();
        if (!RegionRange.contains(shape, key)) {
            return key;
        }
        switch (tag) {
            case 0x1, 0x5 -> bytes();
            case 0xF, 0xE -> {
                ByteString to = bytes();
                // The end of a deleted range may be the region's own.
                if (!to.equals(shape.getEndKey()) && !RegionRange.contains(shape, to)) {
                    return to;
                }
            }
            default -> Invariants.check(tag == 0x0 || tag == 0x4, "unknown batch operation");
        }
        return null;
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
