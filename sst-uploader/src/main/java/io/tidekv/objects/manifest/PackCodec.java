package io.tidekv.objects.manifest;

import io.tidekv.objects.store.ObjectStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A pack: small table files and records of many regions in one object; docs/formats/pack.md. Who
 * knows a member's reference reads its bytes alone. The footer is for who does not: it says what
 * else is in the object, and whose it is.
 */
public final class PackCodec {
    /** Version of the format that this build writes. */
    public static final int FORMAT_VERSION = 1;

    /** Bytes before the first member. */
    public static final int HEADER_BYTES = 8;

    private static final byte[] MAGIC = {'T', 'i', 'd', 'e', 'P', 'a', 'k', '\n'};
    private static final int MEMBER_BYTES = 8 + 8 + 1 + 8 + 8 + 4;

    /** Length of the list, its CRC32C, version, magic. */
    private static final int TRAILER_BYTES = 4 + 4 + 4 + 8;

    private static final int MEMBERS_MAX = 100_000;

    private PackCodec() {}

    /** What a member is. */
    public enum Kind {
        TABLE(1),
        RECORD(2);

        private final byte code;

        Kind(int code) {
            this.code = (byte) code;
        }
    }

    /**
     * @param region region that uploaded the member, in {@code term}
     * @param offset where it begins in the object
     * @param crc32c of its bytes
     */
    public record Member(Kind kind, long region, long term, long offset, long length, int crc32c) {}

    /** The first bytes of every pack. */
    public static byte[] header() {
        return MAGIC.clone();
    }

    /** What stands behind the members. */
    public static byte[] footer(List<Member> members) {
        ByteBuffer out = ByteBuffer.allocate(members.size() * MEMBER_BYTES + TRAILER_BYTES);
        for (Member member : members) {
            out.putLong(member.region()).putLong(member.term()).put(member.kind().code);
            out.putLong(member.offset()).putLong(member.length()).putInt(member.crc32c());
        }
        int length = out.position();
        out.putInt(length).putInt(crc(out.array(), length)).putInt(FORMAT_VERSION).put(MAGIC);
        return out.array();
    }

    /**
     * The members of a pack, by two reads of its end.
     *
     * @param length of the whole object
     * @throws RecordDamaged when it is no pack
     */
    public static List<Member> members(ObjectStore store, String object, long length) {
        if (length < HEADER_BYTES + TRAILER_BYTES) {
            throw new RecordDamaged(object, "it is too short for a pack");
        }
        byte[] trailer = store.getRange(object, length - TRAILER_BYTES, TRAILER_BYTES);
        ByteBuffer in = ByteBuffer.wrap(trailer);
        int listed = in.getInt();
        int crc = in.getInt();
        int version = in.getInt();
        if (!Arrays.equals(trailer, 12, 20, MAGIC, 0, 8)) {
            throw new RecordDamaged(object, "it does not end as a pack does");
        }
        if (version != FORMAT_VERSION) {
            throw new RecordDamaged(
                    object,
                    "its format version is "
                            + Integer.toUnsignedString(version)
                            + ", this build reads "
                            + FORMAT_VERSION);
        }
        if (listed < 0
                || listed % MEMBER_BYTES != 0
                || listed / MEMBER_BYTES > MEMBERS_MAX
                || listed > length - TRAILER_BYTES - HEADER_BYTES) {
            throw new RecordDamaged(object, "its list of members has no sensible length");
        }
        byte[] list = store.getRange(object, length - TRAILER_BYTES - listed, listed);
        if (crc(list, listed) != crc) {
            throw new RecordDamaged(object, "its list of members fails its checksum");
        }
        return parse(object, list, length - TRAILER_BYTES - listed);
    }

    private static List<Member> parse(String object, byte[] list, long end) {
        List<Member> members = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(list);
        long expected = HEADER_BYTES;
        while (in.hasRemaining()) {
            long region = in.getLong();
            long term = in.getLong();
            Kind kind = kind(object, in.get());
            long offset = in.getLong();
            long length = in.getLong();
            if (offset != expected || length < 0 || length > end - offset) {
                throw new RecordDamaged(object, "its members do not lie side by side");
            }
            members.add(new Member(kind, region, term, offset, length, in.getInt()));
            expected = offset + length;
        }
        if (expected != end) {
            throw new RecordDamaged(object, "its members do not fill it");
        }
        return members;
    }

    private static Kind kind(String object, byte code) {
        for (Kind kind : Kind.values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw new RecordDamaged(object, "it has a member of a kind that this build does not know");
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
