package io.tidekv.compute.tablet.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A table file's data in granules: runs of whole blocks of up to so many bytes, and which of them
 * can hold a key. Made from the file's end alone. Immutable.
 *
 * <p>Granules end where blocks end, so that a block is never in two. What an index says of a block
 * is a key at or after the block's last and at or before the next one's first: versions of that
 * very key may lie in both.
 */
public final class GranuleMap {
    private static final int TRAILER = 5;
    private static final int SEQUENCE = 8;

    private final byte[][] last;
    private final long[] begins;
    private final int keyBytes;

    private GranuleMap(byte[][] last, long[] begins) {
        this.last = last;
        this.begins = begins;
        int bytes = 0;
        for (byte[] key : last) {
            bytes += key.length;
        }
        this.keyBytes = bytes;
    }

    /** Granules from {@code from} to {@code to}, both inclusive; none when {@code from > to}. */
    public record Run(int from, int to) {
        public int size() {
            return Math.max(0, to - from + 1);
        }
    }

    /**
     * Reads a file's end.
     *
     * @param tail all that follows the data blocks
     * @param granuleBytes a granule has at most so many, unless it is a single block
     * @throws UnknownTable when it is not the end of a table that we can read
     */
    public static GranuleMap read(byte[] tail, long fileSize, int granuleBytes) {
        try {
            return read(new TableEnd(tail, fileSize), granuleBytes);
        } catch (IndexOutOfBoundsException | NegativeArraySizeException e) {
            throw new UnknownTable("damaged: " + e.getMessage());
        }
    }

    private static GranuleMap read(TableEnd end, int granuleBytes) {
        Map<String, byte[]> properties = end.properties();
        boolean userKeys = number(properties, "rocksdb.index.key.is.user.key") == 1;
        if (number(properties, "rocksdb.index.value.is.delta.encoded") != 1) {
            throw new UnknownTable("an index of another kind");
        }
        long blocks = number(properties, "rocksdb.num.data.blocks");
        List<byte[]> last = new ArrayList<>();
        List<Long> begins = new ArrayList<>();
        BlockReader index = new BlockReader(end.named("rocksdb.index"));
        long count = 0;
        long begin = 0;
        long at = 0;
        long size = 0;
        byte[] before = {};
        for (; index.hasNext(); count++) {
            index.next(false);
            byte[] key = userKeys ? index.key() : user(index.key());
            long offset = index.isShared() ? at : index.varint();
            size = index.isShared() ? size + zigzag(index.varint()) : index.varint();
            if (offset != at || size < 0 || Arrays.compareUnsigned(before, key) > 0) {
                throw new UnknownTable("an index with a gap");
            }
            long blockEnd = at + size + TRAILER;
            if (at > begin && blockEnd - begin > granuleBytes) {
                last.add(before);
                begins.add(begin);
                begin = at;
            }
            at = blockEnd;
            before = key;
        }
        if (at != end.begin() || count != blocks) {
            throw new UnknownTable("an index of other blocks");
        }
        if (count > 0) {
            last.add(before);
            begins.add(begin);
        }
        begins.add(at);
        return new GranuleMap(
                last.toArray(byte[][]::new), begins.stream().mapToLong(Long::longValue).toArray());
    }

    private static byte[] user(byte[] internal) {
        if (internal.length < SEQUENCE) {
            throw new UnknownTable("an index key is too short");
        }
        return Arrays.copyOf(internal, internal.length - SEQUENCE);
    }

    private static long number(Map<String, byte[]> properties, String name) {
        byte[] value = properties.get(name);
        if (value == null) {
            throw new UnknownTable("no property " + name);
        }
        return new BlockReader(Arrays.copyOf(value, value.length + Integer.BYTES)).varint();
    }

    private static long zigzag(long value) {
        return (value >>> 1) ^ -(value & 1);
    }

    /** How many granules there are. */
    public int count() {
        return last.length;
    }

    /** Where a granule begins in the file. */
    public long begin(int granule) {
        return begins[granule];
    }

    /** Where it ends, exclusive. */
    public long end(int granule) {
        return begins[granule + 1];
    }

    /** Where the last of them ends. */
    public long dataBytes() {
        return begins[last.length];
    }

    /** About what this takes in memory. */
    public long heapBytes() {
        return keyBytes + last.length * 32L;
    }

    /** Granules that can hold a version of the key. */
    public Run holding(byte[] key) {
        int to = first(key, true);
        return new Run(first(key, false), Math.min(to, last.length - 1));
    }

    /** Granules that can hold a key in {@code [from, end)}; a null end has no bound. */
    public Run holding(byte[] from, byte @Nullable [] end) {
        int to = end == null ? last.length : first(end, false);
        return new Run(first(from, false), Math.min(to, last.length - 1));
    }

    /** Granules that hold bytes in {@code [from, end)} of the file. */
    public Run at(long from, long end) {
        int low = 0;
        while (low < last.length && end(low) <= from) {
            low++;
        }
        int high = low;
        while (high < last.length && begin(high) < end) {
            high++;
        }
        return new Run(low, high - 1);
    }

    /** The first granule whose last key is at or after the key, or only after it. */
    private int first(byte[] key, boolean after) {
        int low = 0;
        int high = last.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            int order = Arrays.compareUnsigned(last[middle], key);
            if (order < 0 || (after && order == 0)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
