package io.tidekv.objects.crypto;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * How one object is encrypted: what stands before its chunks, and the key that its chunks are
 * sealed with. The name is part of what is sealed, so an object under another name is refused, and
 * so are chunks that were exchanged, repeated or left out. Immutable.
 */
public final class Envelope {
    /** Bytes before the first chunk. */
    public static final int HEADER_BYTES = 40;

    /** Random bytes in the header. */
    public static final int SALT_BYTES = 16;

    /** Bytes of content in a chunk; the last one may have fewer. */
    public static final int CHUNK_BYTES = 64 << 10;

    private static final int SEALED_BYTES = CHUNK_BYTES + Aead.TAG_BYTES;
    private static final long MAGIC = 0x5469_6465_456e_6331L; // "TideEnc1"

    private final byte[] header;
    private final byte[] key;
    private final byte[] name;

    private Envelope(byte[] header, DataKey dataKey, String name) {
        this.header = header;
        this.name = name.getBytes(StandardCharsets.UTF_8);
        this.key = Aead.hmac(dataKey.bytes(), header, this.name);
    }

    /**
     * For an object that is to be written.
     *
     * @param salt random bytes, new ones for each object
     */
    public static Envelope create(DataKey dataKey, byte[] salt, String name) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putLong(MAGIC).putLong(dataKey.id()).put(salt).putInt(CHUNK_BYTES);
        header.putInt(crc(header.array()));
        return new Envelope(header.array(), dataKey, name);
    }

    /** Id of the data key that a header names. Throws {@link SealBroken} for what is none. */
    public static long keyId(byte[] header) {
        if (header.length != HEADER_BYTES) {
            throw new SealBroken("it is too short to be encrypted");
        }
        ByteBuffer in = ByteBuffer.wrap(header);
        if (in.getLong(0) != MAGIC) {
            throw new SealBroken("it is not encrypted");
        }
        boolean whole =
                in.getInt(HEADER_BYTES - 4) == crc(header)
                        && in.getInt(HEADER_BYTES - 8) == CHUNK_BYTES;
        if (!whole) {
            throw new SealBroken("its header is damaged");
        }
        return in.getLong(8);
    }

    /** For an object that is read; {@code dataKey} is the one that the header names. */
    public static Envelope of(byte[] header, DataKey dataKey, String name) {
        return new Envelope(header.clone(), dataKey, name);
    }

    public byte[] header() {
        return header.clone();
    }

    /**
     * Seals a chunk.
     *
     * @param index from 0
     * @param last whether nothing follows
     */
    public byte[] seal(long index, boolean last, byte[] plain) {
        return Aead.seal(key, index, associated(last), plain);
    }

    /** Throws {@link SealBroken} unless it is the chunk that was sealed so. */
    public byte[] open(long index, boolean last, byte[] sealed) {
        return Aead.open(key, index, associated(last), sealed);
    }

    private byte[] associated(boolean last) {
        return ByteBuffer.allocate(name.length + 1).put((byte) (last ? 1 : 0)).put(name).array();
    }

    /** How many chunks a content of this length has; an empty one has one. */
    public static long chunks(long plainLength) {
        return Math.max(1, (plainLength + CHUNK_BYTES - 1) / CHUNK_BYTES);
    }

    /** Where a chunk begins in the object; for the number of chunks, where it ends at most. */
    public static long offset(long index) {
        return HEADER_BYTES + index * SEALED_BYTES;
    }

    public static long sealedLength(long plainLength) {
        return HEADER_BYTES + plainLength + chunks(plainLength) * Aead.TAG_BYTES;
    }

    /** -1 when no encrypted object has this length. */
    public static long plainLength(long sealedLength) {
        long body = sealedLength - HEADER_BYTES;
        if (body < Aead.TAG_BYTES) {
            return -1;
        }
        long chunks = (body + SEALED_BYTES - 1) / SEALED_BYTES;
        long plain = body - chunks * Aead.TAG_BYTES;
        return chunks(plain) == chunks && plain >= 0 ? plain : -1;
    }

    private static int crc(byte[] header) {
        CRC32C crc = new CRC32C();
        crc.update(header, 0, HEADER_BYTES - 4);
        return (int) crc.getValue();
    }
}
