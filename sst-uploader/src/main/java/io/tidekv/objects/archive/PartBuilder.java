package io.tidekv.objects.archive;

import io.tidekv.proto.wal.VoterMeta;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Collects a part in memory. Belongs to one thread. */
public final class PartBuilder {
    private final UUID node;
    private final long walId;
    private final long clusterId;
    private final long segment;
    private final long segmentLength;
    private final Map<Long, SliceBuilder> regions = new TreeMap<>(Long::compareUnsigned);
    private long wallMillis;
    private long firstMillis;
    private long lastMillis;
    private long bytes;

    /** Of a segment that ends at {@code segmentLength}. */
    public PartBuilder(UUID node, long walId, long clusterId, long segment, long segmentLength) {
        this.node = node;
        this.walId = walId;
        this.clusterId = clusterId;
        this.segment = segment;
        this.segmentLength = segmentLength;
    }

    /** What follows was written at this time, by the node's wall clock; 0: not known. */
    public void time(long millis) {
        wallMillis = millis;
    }

    /** The voter's state from here on; with {@code reset}, all its entries are gone. */
    public void meta(long regionId, VoterMeta meta, boolean reset) {
        touched();
        SliceBuilder slice = of(regionId);
        int before = slice.length();
        slice.meta(meta, reset, wallMillis);
        bytes += slice.length() - before;
    }

    /** An entry; takes the remaining bytes of {@code data}. */
    public void entry(
            long regionId, long index, long term, int kind, boolean moved, ByteBuffer data) {
        touched();
        SliceBuilder slice = of(regionId);
        int before = slice.length();
        slice.entry(index, term, kind, moved, data, wallMillis);
        bytes += slice.length() - before;
    }

    /** An entry that is known to be committed, in the part or not. */
    public void committed(long regionId, long logId, long index, long term) {
        of(regionId).committed(logId, index, term);
    }

    /** Whether anything happened to the region in this part. */
    public boolean has(long regionId) {
        return regions.containsKey(regionId);
    }

    private SliceBuilder of(long regionId) {
        return regions.computeIfAbsent(regionId, id -> new SliceBuilder());
    }

    private void touched() {
        if (wallMillis != 0) {
            firstMillis = firstMillis == 0 ? wallMillis : Math.min(firstMillis, wallMillis);
            lastMillis = Math.max(lastMillis, wallMillis);
        }
    }

    /** About what has been collected, in bytes. */
    public long bytes() {
        return bytes;
    }

    /** The object's bytes; it stands for the segment from byte {@code from} to {@code to}. */
    public byte[] build(long from, long to) {
        int length = ArchiveCodec.HEADER_BYTES + ArchiveCodec.footerBytes(regions.size());
        for (SliceBuilder slice : regions.values()) {
            length = Math.addExact(length, slice.length());
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        ArchiveCodec.header(out);
        List<RegionSlice> slices = new ArrayList<>(regions.size());
        regions.forEach((id, slice) -> slices.add(slice.write(id, out)));
        ArchivePart part =
                new ArchivePart(
                        "",
                        node,
                        walId,
                        clusterId,
                        segment,
                        segmentLength,
                        from,
                        to,
                        firstMillis,
                        lastMillis,
                        0,
                        slices);
        ArchiveCodec.footer(out, part);
        return out.array();
    }
}
