package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.CodecException;
import io.tidekv.common.codec.Ints;
import io.tidekv.common.codec.Memcomparable;
import java.util.Arrays;
import java.util.List;

/** A transactional key in both of its forms. Compares as the keys do. */
public final class TxnKey implements Comparable<TxnKey> {
    private final ByteString raw;
    private final byte[] encoded;

    private TxnKey(ByteString raw, byte[] encoded) {
        this.raw = raw;
        this.encoded = encoded;
    }

    /** The key that a client sent. */
    public static TxnKey of(ByteString raw) {
        return new TxnKey(raw, Memcomparable.encode(raw.toByteArray()));
    }

    /** What keys that a client sent are stored under, in their order. */
    public static List<byte[]> encodeAll(List<ByteString> raws) {
        return raws.stream().map(raw -> Memcomparable.encode(raw.toByteArray())).toList();
    }

    /** A key of column family {@code lock}. */
    public static TxnKey ofEncoded(byte[] encoded) {
        return new TxnKey(UnsafeByteOperations.unsafeWrap(Memcomparable.decode(encoded)), encoded);
    }

    /** A key of column families {@code write} and {@code default}, less its timestamp. */
    public static TxnKey ofVersioned(byte[] versioned) {
        if (versioned.length < Long.BYTES) {
            throw new CodecException("a versioned key is shorter than its version");
        }
        return ofEncoded(Arrays.copyOf(versioned, versioned.length - Long.BYTES));
    }

    /** The key as clients know it. */
    public ByteString raw() {
        return raw;
    }

    /** The key as stored; must not be changed. */
    public byte[] encoded() {
        return encoded;
    }

    /** The stored key of the version at {@code ts}. */
    public byte[] at(long ts) {
        return Ints.withDesc(encoded, ts);
    }

    /** True if {@code versioned} is this key at some timestamp. */
    public boolean owns(byte[] versioned) {
        return versioned.length == encoded.length + Long.BYTES
                && Arrays.equals(versioned, 0, encoded.length, encoded, 0, encoded.length);
    }

    /** The first stored key behind all versions of this one. */
    public byte[] end() {
        byte[] end = Arrays.copyOf(encoded, encoded.length + Long.BYTES + 1);
        Arrays.fill(end, encoded.length, end.length - 1, (byte) 0xFF);
        return end;
    }

    @Override
    public int compareTo(TxnKey other) {
        return Arrays.compareUnsigned(encoded, other.encoded);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TxnKey key && Arrays.equals(encoded, key.encoded);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encoded);
    }

    /** Does not show the key: it belongs to a user. */
    @Override
    public String toString() {
        return "key of " + raw.size() + " bytes";
    }
}
