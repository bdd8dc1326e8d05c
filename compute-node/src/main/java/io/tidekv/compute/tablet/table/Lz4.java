package io.tidekv.compute.tablet.table;

import java.util.Arrays;

/**
 * Decompresses an LZ4 block (lz4_Block_format.md); the JDK cannot, and RocksDB's own does not show
 * in Java.
 */
final class Lz4 {
    private static final int MATCH_MIN = 4;
    private static final int LONG_LENGTH = 15;

    private final byte[] in;
    private final byte[] out;
    private int from;
    private int to;

    private Lz4(byte[] in, int from, int size) {
        this.in = in;
        this.from = from;
        this.out = new byte[size];
    }

    /** The {@code size} bytes that {@code in} holds from {@code from} to its end. */
    static byte[] decompress(byte[] in, int from, int size) {
        return new Lz4(in, from, size).run();
    }

    private byte[] run() {
        while (from < in.length) {
            int token = next();
            literals(length(token >>> 4));
            if (from < in.length) {
                int distance = next() | next() << 8;
                match(distance, length(token & LONG_LENGTH) + MATCH_MIN);
            }
        }
        if (to != out.length) {
            throw new UnknownTable("a compressed block is too short");
        }
        return out;
    }

    private int next() {
        if (from >= in.length) {
            throw new UnknownTable("a compressed block ends early");
        }
        return in[from++] & 0xFF;
    }

    private int length(int first) {
        int length = first;
        if (first == LONG_LENGTH) {
            int more;
            do {
                more = next();
                length += more;
                checkRoom(length);
            } while (more == 0xFF);
        }
        return length;
    }

    private void literals(int length) {
        checkRoom(length);
        if (length > in.length - from) {
            throw new UnknownTable("a compressed block ends early");
        }
        System.arraycopy(in, from, out, to, length);
        from += length;
        to += length;
    }

    /** Source and target may overlap: what has just been copied is copied again. */
    private void match(int distance, int length) {
        checkRoom(length);
        if (distance == 0 || distance > to) {
            throw new UnknownTable("a compressed block refers to what is before it");
        }
        if (distance == 1) {
            Arrays.fill(out, to, to + length, out[to - 1]);
        } else {
            for (int i = to; i < to + length; i++) {
                out[i] = out[i - distance];
            }
        }
        to += length;
    }

    private void checkRoom(int length) {
        if (length < 0 || length > out.length - to) {
            throw new UnknownTable("a compressed block is too long");
        }
    }
}
