package io.tidekv.objects.manifest;

import com.google.protobuf.ByteString;

/**
 * Order of RocksDB's internal keys: user key ascending, then the last eight bytes, a little-endian
 * number of sequence and type, descending. The end of a range tombstone is a user key with the
 * highest number, so it comes before every entry of that user key.
 */
public final class InternalKeys {
    static final int SUFFIX_BYTES = 8;

    private InternalKeys() {}

    public static int compare(ByteString left, ByteString right) {
        int byUser =
                ByteString.unsignedLexicographicalComparator().compare(user(left), user(right));
        return byUser != 0 ? byUser : Long.compareUnsigned(suffix(right), suffix(left));
    }

    private static ByteString user(ByteString key) {
        return key.substring(0, key.size() - SUFFIX_BYTES);
    }

    private static long suffix(ByteString key) {
        return Long.reverseBytes(
                key.substring(key.size() - SUFFIX_BYTES).asReadOnlyByteBuffer().getLong());
    }
}
