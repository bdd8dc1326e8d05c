package io.tidekv.compute.raw;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.codec.CodecException;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.ApiMode;
import org.jspecify.annotations.Nullable;

/**
 * Raw values as stored. V1: the value itself. V1TTL: the value, then eight bytes with the second at
 * which it ends, 0 for never. V2: the value, these eight bytes if it ends, then a byte of flags
 * that says so, or that the key has been deleted.
 */
public final class RawValues {
    private static final long NEVER = 0;
    private static final byte[] NOTHING = {};
    private static final int EXPIRES = 1;
    private static final int DELETED = 2;

    private final ApiMode mode;

    public RawValues(ApiMode mode) {
        this.mode = mode;
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
        return mode != ApiMode.V1;
    }

    /** Throws when a time to live is asked for where values cannot have one. */
    public void checkTtl(long ttlSeconds) {
        if (ttlSeconds != 0 && !hasTtl()) {
            throw new RawException("ttl is not enabled, but get put request with ttl");
        }
    }

    /**
     * The stored form.
     *
     * @param ttlSeconds 0 for never
     */
    public byte[] encode(ByteString value, long ttlSeconds, long nowSeconds) {
        int length = value.size();
        long end = ttlSeconds == 0 ? NEVER : expiry(ttlSeconds, nowSeconds);
        return switch (mode) {
            case V1 -> value.toByteArray();
            case V1TTL -> {
                byte[] out = copy(value, Long.BYTES);
                Ints.put(out, length, end);
                yield out;
            }
            case V2 -> {
                byte[] out = copy(value, end == NEVER ? 1 : Long.BYTES + 1);
                if (end != NEVER) {
                    Ints.put(out, length, end);
                    out[out.length - 1] = EXPIRES;
                }
                yield out;
            }
        };
    }

    /** What follows a value in its stored form. */
    byte[] suffix(long ttlSeconds, long nowSeconds) {
        return mode == ApiMode.V1 ? NOTHING : encode(ByteString.EMPTY, ttlSeconds, nowSeconds);
    }

    /** What V2 stores for a key that is deleted. */
    byte[] tombstone() {
        return new byte[] {DELETED};
    }

    private static byte[] copy(ByteString value, int room) {
        byte[] out = new byte[value.size() + room];
        value.copyTo(out, 0);
        return out;
    }

    /** The value, or null when it has ended or is deleted. */
    public @Nullable RawValue decode(byte[] stored, long nowSeconds) {
        return switch (mode) {
            case V1 -> new RawValue(UnsafeByteOperations.unsafeWrap(stored), NEVER);
            case V1TTL -> expiring(stored, stored.length - Long.BYTES, nowSeconds);
            case V2 -> flagged(stored, nowSeconds);
        };
    }

    private static @Nullable RawValue flagged(byte[] stored, long nowSeconds) {
        if (stored.length == 0) {
            throw new CodecException("a raw value has no flags");
        }
        int length = stored.length - 1;
        int flags = stored[length];
        if ((flags & ~(EXPIRES | DELETED)) != 0) {
            throw new CodecException("a raw value has unknown flags");
        }
        if ((flags & DELETED) != 0) {
            return null;
        }
        return (flags & EXPIRES) != 0
                ? expiring(stored, length - Long.BYTES, nowSeconds)
                : new RawValue(UnsafeByteOperations.unsafeWrap(stored, 0, length), NEVER);
    }

    private static @Nullable RawValue expiring(byte[] stored, int length, long nowSeconds) {
        if (length < 0) {
            throw new CodecException("a raw value is shorter than its expiry");
        }
        long expireAt = Ints.get(stored, length);
        if (expireAt != NEVER && Long.compareUnsigned(expireAt, nowSeconds) <= 0) {
            return null;
        }
        return new RawValue(UnsafeByteOperations.unsafeWrap(stored, 0, length), expireAt);
    }

    private static long expiry(long ttlSeconds, long nowSeconds) {
        long end = nowSeconds + ttlSeconds;
        return Long.compareUnsigned(end, ttlSeconds) < 0 ? -1L : end;
    }
}
