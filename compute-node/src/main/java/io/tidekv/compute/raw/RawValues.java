package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.CodecException;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.ApiMode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Raw values as stored. V1: the value itself. V1TTL: the value, then eight bytes with the second at
 * which it ends, 0 for never.
 */
public final class RawValues {
    private static final long NEVER = 0;

    private final boolean withTtl;

    public RawValues(ApiMode mode) {
        if (mode == ApiMode.V2) {
            throw new IllegalArgumentException("raw data in API V2 is not served yet");
        }
        withTtl = mode == ApiMode.V1TTL;
    }

    /**
     * A value that has not ended.
     *
     * @param expireAt second at which it ends, 0 for never
     */
    public record RawValue(ByteString bytes, long expireAt) {
        /** Seconds left at {@code nowSeconds}; 0 for a value that never ends. */
        public long ttl(long nowSeconds) {
            return expireAt == NEVER ? 0 : expireAt - nowSeconds;
        }
    }

    public boolean hasTtl() {
        return withTtl;
    }

    /** Throws when a time to live is asked for where values cannot have one. */
    public void checkTtl(long ttlSeconds) {
        if (ttlSeconds != 0 && !withTtl) {
            throw new RawException("ttl is not enabled, but get put request with ttl");
        }
    }

    /**
     * The stored form.
     *
     * @param ttlSeconds 0 for never
     */
    public byte[] encode(ByteString value, long ttlSeconds, long nowSeconds) {
        if (!withTtl) {
            return value.toByteArray();
        }
        byte[] out = new byte[value.size() + Long.BYTES];
        value.copyTo(out, 0);
        Ints.put(out, value.size(), ttlSeconds == 0 ? NEVER : expiry(ttlSeconds, nowSeconds));
        return out;
    }

    /** The value, or null when it has ended. */
    public @Nullable RawValue decode(byte[] stored, long nowSeconds) {
        if (!withTtl) {
            return new RawValue(UnsafeByteOperations.unsafeWrap(stored), NEVER);
        }
        if (stored.length < Long.BYTES) {
            throw new CodecException("a raw value is shorter than its expiry");
        }
        int length = stored.length - Long.BYTES;
        long expireAt = Ints.get(stored, length);
        if (expireAt != NEVER && Long.compareUnsigned(expireAt, nowSeconds) <= 0) {
            return null;
        }
        byte[] value = Arrays.copyOf(stored, length);
        return new RawValue(UnsafeByteOperations.unsafeWrap(value), expireAt);
    }

    private static long expiry(long ttlSeconds, long nowSeconds) {
        long end = nowSeconds + ttlSeconds;
        return Long.compareUnsigned(end, ttlSeconds) < 0 ? -1L : end;
    }
}
