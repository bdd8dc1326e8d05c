package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.compute.engine.ApiMode;

/**
 * Raw keys as stored. V1 and V1TTL: the key itself. V2: the key in memory-comparable form, followed
 * by the timestamp of the write in descending order, so that the newest version comes first.
 */
public final class RawKeys {
    private final boolean versioned;

    public RawKeys(ApiMode mode) {
        versioned = mode == ApiMode.V2;
    }

    /** Whether each write is a version of its own, and needs a timestamp. */
    public boolean versioned() {
        return versioned;
    }

    /**
     * The key as a bound of stored keys: all versions of it come at or after, and before the bound
     * of any greater key.
     */
    public byte[] bound(ByteString key) {
        byte[] plain = key.toByteArray();
        return versioned ? Memcomparable.encode(plain) : plain;
    }

    /**
     * The stored key of a write.
     *
     * @param ts of the write; not looked at where keys have no versions
     */
    public byte[] at(ByteString key, long ts) {
        byte[] plain = key.toByteArray();
        return versioned ? Memcomparable.encodeWithDesc(plain, ts) : plain;
    }

    /** The key of a stored key as clients know it. */
    ByteString user(byte[] stored) {
        return UnsafeByteOperations.unsafeWrap(
                versioned ? Memcomparable.decode(Memcomparable.withoutSuffix(stored)) : stored);
    }
}
