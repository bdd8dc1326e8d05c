package io.tidekv.compute.tablet.manifest;

import com.google.protobuf.ByteString;

/** Writes RocksDB's varints and length-prefixed slices. */
final class EditWriter {
    private final ByteString.Output out = ByteString.newOutput();

    EditWriter number(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
        return this;
    }

    EditWriter slice(ByteString value) {
        number(value.size());
        for (int i = 0; i < value.size(); i++) {
            out.write(value.byteAt(i));
        }
        return this;
    }

    EditWriter text(String value) {
        return slice(ByteString.copyFromUtf8(value));
    }

    ByteString bytes() {
        return out.toByteString();
    }
}
