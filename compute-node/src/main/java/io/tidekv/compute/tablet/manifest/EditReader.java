package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;

/** Reads RocksDB's varints and length-prefixed slices. Throws when the bytes end too early. */
final class EditReader {
    private final ByteString bytes;
    private int at;

    EditReader(ByteString bytes) {
        this.bytes = bytes;
    }

    boolean more() {
        return at < bytes.size();
    }

    long varint64() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at >= bytes.size()) {
                throw new ManifestException("an edit ends inside a number");
            }
            byte next = bytes.byteAt(at++);
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new ManifestException("a number in an edit has more than 64 bits");
    }

    int varint32() {
        long value = varint64();
        if (value >>> 32 != 0) {
            throw new ManifestException("a number in an edit has more than 32 bits");
        }
        return (int) value;
    }

    ByteString slice() {
        int length = varint32();
        if (length < 0 || length > bytes.size() - at) {
            throw new ManifestException("an edit ends inside a string");
        }
        ByteString slice = bytes.substring(at, at + length);
        at += length;
        return slice;
    }

    String text() {
        return slice().toStringUtf8();
    }
}
