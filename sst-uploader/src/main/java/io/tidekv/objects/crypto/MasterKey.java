package io.tidekv.objects.crypto;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Wraps the data keys of an object store. It never encrypts anything else, and is the one secret
 * that an operator keeps: without it nothing can be read.
 */
public final class MasterKey {
    private static final int SALT_BYTES = 16;

    private final byte[] key;

    private MasterKey(byte[] key) {
        this.key = key;
    }

    /**
     * From a file of 64 hexadecimal digits (`openssl rand -hex 32`).
     *
     * @throws IllegalArgumentException when it holds anything else
     * @throws IOException when it cannot be read
     */
    public static MasterKey read(Path file) throws IOException {
        String text = Files.readString(file).strip();
        if (!text.matches("[0-9a-fA-F]{64}")) {
            throw new IllegalArgumentException(
                    file
                            + " is no master key: it must hold 64 hexadecimal digits, as"
                            + " `openssl rand -hex 32` prints them");
        }
        return new MasterKey(HexFormat.of().parseHex(text));
    }

    /** A master key for tests. */
    public static MasterKey of(byte[] key) {
        if (key.length != Aead.KEY_BYTES) {
            throw new IllegalArgumentException("a master key has 32 bytes");
        }
        return new MasterKey(key.clone());
    }

    /**
     * The wrapped form of a data key.
     *
     * @param salt 16 random bytes
     */
    public byte[] wrap(DataKey dataKey, byte[] salt) {
        if (salt.length != SALT_BYTES) {
            throw new IllegalArgumentException("a salt has 16 bytes");
        }
        byte[] own = Aead.hmac(key, label(dataKey.id()), salt);
        byte[] sealed = Aead.seal(own, 0, label(dataKey.id()), dataKey.bytes());
        return ByteBuffer.allocate(SALT_BYTES + sealed.length).put(salt).put(sealed).array();
    }

    /** Throws {@link SealBroken} when it was wrapped with another master key. */
    public DataKey unwrap(long id, byte[] wrapped) {
        if (wrapped.length != SALT_BYTES + Aead.KEY_BYTES + Aead.TAG_BYTES) {
            throw new SealBroken("it is no wrapped data key");
        }
        ByteBuffer in = ByteBuffer.wrap(wrapped);
        byte[] salt = new byte[SALT_BYTES];
        byte[] sealed = new byte[wrapped.length - SALT_BYTES];
        in.get(salt).get(sealed);
        byte[] own = Aead.hmac(key, label(id), salt);
        return new DataKey(id, Aead.open(own, 0, label(id), sealed));
    }

    private static byte[] label(long id) {
        return ("tidekv data key " + Long.toUnsignedString(id)).getBytes(StandardCharsets.UTF_8);
    }
}
