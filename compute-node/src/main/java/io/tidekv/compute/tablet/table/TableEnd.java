package io.tidekv.compute.tablet.table;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The end of a table file: what follows its data blocks (table/format.cc, format version 6). Blocks
 * are not compared with their checksums here: RocksDB does that when it reads them, and what it
 * then misses is fetched.
 */
final class TableEnd {
    private static final int FOOTER = 53;
    private static final int TRAILER = 5;
    private static final int VERSION = 6;
    private static final long MAGIC = 0x88E2_41B7_85F4_CFF7L;
    private static final int EXTENDED_MAGIC = 0x007A_003E;
    private static final int EXTENDED_MAGIC_AT = 1;
    private static final int META_INDEX_SIZE_AT = 13;
    private static final int VERSION_AT = 41;
    private static final int MAGIC_AT = 45;
    private static final int PLAIN = 0;
    private static final int LZ4 = 4;

    /** No index of a sane file is larger. */
    private static final long BLOCK_MAX = 256 << 20;

    private final byte[] tail;

    /** Where in the file {@link #tail} begins. */
    private final long begin;

    private final Map<String, byte[]> metaIndex;

    TableEnd(byte[] tail, long fileSize) {
        this.tail = tail;
        this.begin = fileSize - tail.length;
        int footer = tail.length - FOOTER;
        if (footer < 0 || begin < 0) {
            throw new UnknownTable("no room for a footer");
        }
        long magic =
                fixed32(tail, footer + MAGIC_AT)
                        | fixed32(tail, footer + MAGIC_AT + Integer.BYTES) << Integer.SIZE;
        long version = fixed32(tail, footer + VERSION_AT);
        if (magic != MAGIC
                || version != VERSION
                || fixed32(tail, footer + EXTENDED_MAGIC_AT) != EXTENDED_MAGIC) {
            throw new UnknownTable("not a table of format version " + VERSION);
        }
        long size = fixed32(tail, footer + META_INDEX_SIZE_AT);
        this.metaIndex = map(block(begin + footer - TRAILER - size, size));
    }

    private static Map<String, byte[]> map(byte[] block) {
        Map<String, byte[]> entries = new HashMap<>();
        for (BlockReader reader = new BlockReader(block); reader.hasNext(); ) {
            int length = reader.next(true);
            String name = new String(reader.key(), StandardCharsets.UTF_8);
            entries.put(name, reader.value(length));
        }
        return entries;
    }

    /** Where the data blocks end. */
    long begin() {
        return begin;
    }

    Map<String, byte[]> properties() {
        return map(named("rocksdb.properties"));
    }

    /** The block that the meta index has under this name. */
    byte[] named(String name) {
        byte[] handle = metaIndex.get(name);
        if (handle == null) {
            throw new UnknownTable("no " + name);
        }
        // Padded so that it can be walked as a block without restart points.
        BlockReader numbers = new BlockReader(Arrays.copyOf(handle, handle.length + Integer.BYTES));
        long offset = numbers.varint();
        return block(offset, numbers.varint());
    }

    private byte[] block(long offset, long size) {
        if (offset < begin || size < 0 || offset + size + TRAILER > begin + tail.length) {
            throw new UnknownTable("a block lies outside of the end of the file");
        }
        int from = (int) (offset - begin);
        int type = tail[from + (int) size];
        byte[] stored = Arrays.copyOfRange(tail, from, from + (int) size);
        if (type == PLAIN) {
            return stored;
        }
        if (type != LZ4) {
            throw new UnknownTable("a block is compressed with " + type);
        }
        long length = 0;
        int at = 0;
        for (int shift = 0; ; shift += 7) {
            if (at >= stored.length || shift > 28) {
                throw new UnknownTable("a compressed block without its length");
            }
            byte next = stored[at++];
            length |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                break;
            }
        }
        if (length > BLOCK_MAX) {
            throw new UnknownTable("a compressed block is too long");
        }
        return Lz4.decompress(stored, at, (int) length);
    }

    /** Little-endian, unsigned. */
    static long fixed32(byte[] bytes, int at) {
        return (bytes[at] & 0xFFL)
                | (bytes[at + 1] & 0xFFL) << 8
                | (bytes[at + 2] & 0xFFL) << 16
                | (bytes[at + 3] & 0xFFL) << 24;
    }
}
