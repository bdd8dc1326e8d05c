package io.tidekv.objects.crypto;

/**
 * A key for objects; each object has one of its own that is derived from it. The newest one (the
 * highest id) encrypts, the others only decrypt.
 */
public final class DataKey {
    private final long id;
    private final byte[] bytes;

    public DataKey(long id, byte[] bytes) {
        if (bytes.length != Aead.KEY_BYTES) {
            throw new IllegalArgumentException("a data key has 32 bytes");
        }
        this.id = id;
        this.bytes = bytes.clone();
    }

    public long id() {
        return id;
    }

    byte[] bytes() {
        return bytes;
    }
}
