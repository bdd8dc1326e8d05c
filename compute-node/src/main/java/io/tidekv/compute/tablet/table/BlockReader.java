package io.tidekv.compute.tablet.table;

import java.util.Arrays;

/**
 * Walks the entries of one block (block_based/block.cc): keys that share a prefix with the one
 * before, then an array of restart points that is not needed to walk them.
 */
final class BlockReader {
    /** The upper bits of the number of restart points are flags. */
    private static final int RESTARTS = 0x0FFF_FFFF;

    private final byte[] bytes;
    private final int end;
    private int at;
    private byte[] key = {};
    private boolean shared;

    BlockReader(byte[] bytes) {
        this.bytes = bytes;
        if (bytes.length < Integer.BYTES) {
            throw new UnknownTable("a block is too short");
        }
        long restarts = TableEnd.fixed32(bytes, bytes.length - Integer.BYTES) & RESTARTS;
        long entries = bytes.length - Integer.BYTES - restarts * Integer.BYTES;
        if (entries < 0) {
            throw new UnknownTable("a block has more restart points than bytes");
        }
        this.end = (int) entries;
    }

    boolean hasNext() {
        return at < end;
    }

    /**
     * Goes to the next entry's key; its value begins at the reader's position.
     *
     * @param lengths whether values are preceded by their length, which is then read, too
     * @return length of the value; -1 when it is not told
     */
    int next(boolean lengths) {
        int prefix = length();
        int rest = length();
        int value = lengths ? length() : -1;
        if (prefix > key.length || rest > end - at) {
            throw new UnknownTable("an entry reaches beyond its block");
        }
        byte[] next = Arrays.copyOf(key, prefix + rest);
        System.arraycopy(bytes, at, next, prefix, rest);
        at += rest;
        key = next;
        shared = prefix != 0;
        return value;
    }

    byte[] key() {
        return key;
    }

    /** Whether the entry is told as a difference to the one before. */
    boolean isShared() {
        return shared;
    }

    byte[] value(int length) {
        if (length < 0 || length > end - at) {
            throw new UnknownTable("a value reaches beyond its block");
        }
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    private int length() {
        long value = varint();
        if (value < 0 || value > bytes.length) {
            throw new UnknownTable("a length is larger than its block");
        }
        return (int) value;
    }

    long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            if (at >= end) {
                throw new UnknownTable("a number reaches beyond its block");
            }
            byte next = bytes[at++];
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new UnknownTable("a number is too long");
    }
}
