package io.tidekv.objects.archive;

import io.tidekv.objects.store.Checksums;
import io.tidekv.objects.store.ObjectStore;
import io.tidekv.objects.store.ObjectStore.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/** Bytes of a part; docs/formats/archive.md. */
public final class ArchiveCodec {
    /** Version of the format that this build writes. */
    public static final int FORMAT_VERSION = 1;

    static final int HEADER_BYTES = 8;

    private static final long MAGIC = 0x5469_6465_4172_630AL; // "TideArc\n"
    private static final int FOOTER_HEAD = 16 + 8 * 8 + 4;
    private static final int LINE_BYTES = 5 * 8 + 3 * 4 + 2 * 8;

    /** Length of the footer, its CRC32C, version, magic. */
    private static final int TRAILER_BYTES = 4 + 4 + 4 + 8;

    /** What is read of a part's end at once: the footer of about 900 regions. */
    private static final int TAIL_BYTES = 64 << 10;

    private ArchiveCodec() {}

    static int footerBytes(int regions) {
        return Math.addExact(FOOTER_HEAD + TRAILER_BYTES, Math.multiplyExact(regions, LINE_BYTES));
    }

    static void header(ByteBuffer out) {
        out.putLong(MAGIC);
    }

    static void footer(ByteBuffer out, ArchivePart part) {
        int start = out.position();
        out.putLong(part.node().getMostSignificantBits());
        out.putLong(part.node().getLeastSignificantBits());
        out.putLong(part.walId()).putLong(part.clusterId());
        out.putLong(part.segment()).putLong(part.segmentLength());
        out.putLong(part.from()).putLong(part.to());
        out.putLong(part.firstMillis()).putLong(part.lastMillis());
        out.putInt(part.regions().size());
        for (RegionSlice slice : part.regions()) {
            out.putLong(slice.regionId()).putLong(slice.logId());
            out.putLong(slice.commitIndex()).putLong(slice.commitTerm());
            out.putLong(slice.offset()).putInt(slice.opsLength()).putInt(slice.opsCrc());
            out.putInt(slice.dataLength()).putLong(slice.firstIndex()).putLong(slice.lastIndex());
        }
        int length = out.position() - start;
        CRC32C crc = new CRC32C();
        crc.update(out.duplicate().flip().position(start));
        out.putInt(length).putInt((int) crc.getValue());
        out.putInt(FORMAT_VERSION).putLong(MAGIC);
    }

    /**
     * What is in a part, by one or two reads of its end.
     *
     * @throws ArchiveException when it is no part, or not the one that its name says
     */
    public static ArchivePart read(ObjectStore cluster, ObjectInfo object) {
        String name = object.name();
        long length = object.length();
        if (length < HEADER_BYTES + FOOTER_HEAD + TRAILER_BYTES) {
            throw ArchiveException.damaged(name, "it is too short");
        }
        int first = (int) Math.min(length, TAIL_BYTES);
        byte[] tail = cluster.getRange(name, length - first, first);
        ByteBuffer trailer = ByteBuffer.wrap(tail).position(first - TRAILER_BYTES);
        int footer = trailer.getInt();
        int crc = trailer.getInt();
        int version = trailer.getInt();
        if (trailer.getLong() != MAGIC) {
            throw ArchiveException.damaged(name, "it does not end as an archived log does");
        }
        if (version != FORMAT_VERSION) {
            throw ArchiveException.damaged(
                    name,
                    "its format version is "
                            + Integer.toUnsignedString(version)
                            + ", this build reads "
                            + FORMAT_VERSION);
        }
        if (footer < FOOTER_HEAD || footer > length - TRAILER_BYTES - HEADER_BYTES) {
            throw ArchiveException.damaged(name, "its footer has no sensible length");
        }
        if (footer + TRAILER_BYTES > first) {
            tail = cluster.getRange(name, length - TRAILER_BYTES - footer, footer);
        } else {
            ByteBuffer within = ByteBuffer.wrap(tail);
            tail = new byte[footer];
            within.get(first - TRAILER_BYTES - footer, tail);
        }
        if (Checksums.crc32c(tail) != crc) {
            throw ArchiveException.damaged(name, "its footer fails its checksum");
        }
        return parse(object, ByteBuffer.wrap(tail), length - TRAILER_BYTES - footer);
    }

    private static ArchivePart parse(ObjectInfo object, ByteBuffer in, long end) {
        String name = object.name();
        UUID node = new UUID(in.getLong(), in.getLong());
        long walId = in.getLong();
        long clusterId = in.getLong();
        long segment = in.getLong();
        long segmentLength = in.getLong();
        long from = in.getLong();
        long to = in.getLong();
        long firstMillis = in.getLong();
        long lastMillis = in.getLong();
        int count = in.getInt();
        if (!new ArchiveNames.Place(node, segment, from, to).name().equals(name)) {
            throw ArchiveException.damaged(name, "it is another part than its name says");
        }
        if (count < 0 || in.remaining() != (long) count * LINE_BYTES) {
            throw ArchiveException.damaged(name, "its footer has no sensible length");
        }
        List<RegionSlice> slices = new ArrayList<>(count);
        long at = HEADER_BYTES;
        for (int i = 0; i < count; i++) {
            RegionSlice slice =
                    new RegionSlice(
                            in.getLong(),
                            in.getLong(),
                            in.getLong(),
                            in.getLong(),
                            in.getLong(),
                            in.getInt(),
                            in.getInt(),
                            in.getInt(),
                            in.getLong(),
                            in.getLong());
            boolean fits =
                    slice.offset() == at && slice.opsLength() >= 0 && slice.dataLength() >= 0;
            at += (long) slice.opsLength() + slice.dataLength();
            if (!fits || at > end) {
                throw ArchiveException.damaged(name, "its slices do not lie side by side");
            }
            slices.add(slice);
        }
        if (at != end) {
            throw ArchiveException.damaged(name, "its slices do not fill it");
        }
        return new ArchivePart(
                name,
                node,
                walId,
                clusterId,
                segment,
                segmentLength,
                from,
                to,
                firstMillis,
                lastMillis,
                object.modifiedMillis(),
                List.copyOf(slices));
    }

    /** The operations of a slice, by one read. */
    static List<ArchiveOp> ops(ObjectStore cluster, ArchivePart part, RegionSlice slice) {
        byte[] bytes = cluster.getRange(part.object(), slice.offset(), slice.opsLength());
        if (Checksums.crc32c(bytes) != slice.opsCrc()) {
            throw ArchiveException.damaged(
                    part.object(), "the slice of region " + slice.regionId() + " has changed");
        }
        return ArchiveOp.decode(part.object(), ByteBuffer.wrap(bytes), slice);
    }
}
