package io.tidekv.objects.manifest;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.common.Invariants;
import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.proto.manifest.TabletRecord;
import io.tidekv.proto.region.ObjectRef;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The frame around a {@link TabletRecord} in the object store; docs/formats/record.md. Whatever
 * differs from what {@link #encode} writes is refused.
 */
public final class RecordCodec {
    /** Version of the frame and of {@code TabletRecord.format_version} that this build writes. */
    public static final int FORMAT_VERSION = 1;

    /** Longest record that is read or written. */
    public static final long BYTES_MAX = 64L << 20;

    private static final byte[] MAGIC = {'T', 'i', 'd', 'e', 'R', 'e', 'c', '\n'};
    private static final int HEADER_BYTES = 20;
    private static final int CRC_AT = 16;

    private RecordCodec() {}

    /** Whose record is expected. */
    public record Expected(long clusterId, long regionId) {}

    /** Frames a record, which must pass the checks of {@link RecordChecks}. */
    public static byte[] encode(TabletRecord record) {
        TabletRecord versioned = record.toBuilder().setFormatVersion(FORMAT_VERSION).build();
        String problem = RecordChecks.problem(versioned);
        Invariants.check(problem == null, "refusing to publish a wrong record: %s", problem);
        byte[] payload = versioned.toByteArray();
        ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + payload.length);
        frame.put(MAGIC).putInt(FORMAT_VERSION).putInt(payload.length);
        frame.position(HEADER_BYTES).put(payload);
        frame.putInt(CRC_AT, crc(frame.array(), payload.length));
        return frame.array();
    }

    /**
     * The frame that a reference names: an object of its own or a member of a pack. Throws {@link
     * RecordDamaged} when it is not what the reference says, and what the store throws.
     */
    public static byte[] read(ObjectStore store, ObjectRef ref) {
        String object = ref.getKey();
        if (!ObjectKeys.isPack(object)) {
            return store.get(object, BYTES_MAX);
        }
        if (ref.getLength() < HEADER_BYTES || ref.getLength() > BYTES_MAX) {
            throw new RecordDamaged(object, "no record has " + ref.getLength() + " bytes");
        }
        byte[] frame = store.getRange(object, ref.getOffset(), (int) ref.getLength());
        if (Checksums.crc32c(frame) != ref.getCrc32C()) {
            throw new RecordDamaged(object, "the member at " + ref.getOffset() + " is another");
        }
        return frame;
    }

    /** Throws {@link RecordDamaged} naming {@code object} unless everything fits. */
    public static TabletRecord decode(String object, byte[] frame, Expected expected) {
        TabletRecord record = decode(object, frame);
        if (record.getClusterId() != expected.clusterId()) {
            throw new RecordDamaged(
                    object,
                    "it belongs to cluster "
                            + Long.toUnsignedString(record.getClusterId())
                            + ", not to "
                            + Long.toUnsignedString(expected.clusterId()));
        }
        long regionId = record.getShape().getRegionId();
        if (regionId != expected.regionId()) {
            throw new RecordDamaged(
                    object, "it belongs to region " + regionId + ", not to " + expected.regionId());
        }
        return record;
    }

    /** As above for any cluster and region. */
    public static TabletRecord decode(String object, byte[] frame) {
        byte[] payload = payload(object, frame);
        TabletRecord record;
        try {
            record = TabletRecord.parseFrom(payload);
        } catch (InvalidProtocolBufferException e) {
            throw new RecordDamaged(object, "its checksum is right but its content is no record");
        }
        String problem = RecordChecks.problem(record);
        if (problem != null) {
            throw new RecordDamaged(object, problem);
        }
        return record;
    }

    private static byte[] payload(String object, byte[] frame) {
        if (frame.length < HEADER_BYTES) {
            throw new RecordDamaged(object, "it has only " + frame.length + " bytes");
        }
        if (!Arrays.equals(frame, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new RecordDamaged(object, "it does not begin as a record does");
        }
        ByteBuffer header = ByteBuffer.wrap(frame).position(MAGIC.length);
        int version = header.getInt();
        int length = header.getInt();
        int expectedCrc = header.getInt();
        if (version != FORMAT_VERSION) {
            throw new RecordDamaged(
                    object,
                    "its format version is "
                            + Integer.toUnsignedString(version)
                            + ", this build reads "
                            + FORMAT_VERSION);
        }
        if (length != frame.length - HEADER_BYTES) {
            throw new RecordDamaged(
                    object,
                    "it has "
                            + (frame.length - HEADER_BYTES)
                            + " bytes of content instead of "
                            + Integer.toUnsignedString(length));
        }
        int actualCrc = crc(frame, length);
        if (actualCrc != expectedCrc) {
            throw new RecordDamaged(
                    object,
                    "its CRC32C is "
                            + Checksums.hex(actualCrc)
                            + " instead of "
                            + Checksums.hex(expectedCrc));
        }
        return Arrays.copyOfRange(frame, HEADER_BYTES, frame.length);
    }

    /** Over the header before the checksum, and the content. */
    private static int crc(byte[] frame, int length) {
        CRC32C crc = new CRC32C();
        crc.update(frame, 0, CRC_AT);
        crc.update(frame, HEADER_BYTES, length);
        return (int) crc.getValue();
    }
}
