package io.tidekv.wal.storage;

import java.io.IOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads, a piece at a time, the segments that a start has only known by their indexes, so that
 * damage in them is found soon after it and not when an entry is needed.
 */
final class SegmentVerifier {
    private final UUID node;
    private final Segments segments;
    private @Nullable Segment under;
    private @Nullable SegmentScanner scanner;
    private long offset;
    private long number;

    SegmentVerifier(UUID node, Segments segments) {
        this.node = node;
        this.segments = segments;
    }

    /** Reads about {@code bytesMax}; false when nothing is left to be read. */
    boolean step(long bytesMax) throws IOException {
        Segment segment = next();
        if (segment == null) {
            under = null;
            scanner = null;
            return false;
        }
        SegmentScanner reader = scanner;
        if (segment != under || reader == null) {
            reader = new SegmentScanner(node, segment.number, segment.file);
            scanner = reader;
            under = segment;
            offset = SegmentHeader.BLOCK;
            number = segment.firstBatch;
        }
        long until = offset + bytesMax;
        while (offset < segment.size && offset < until) {
            BatchHeader batch = reader.wholeBatch(offset, number);
            if (batch == null) {
                throw new StorageDamageException(
                        segment.file.name(), offset, "a batch that had been synced is not whole");
            }
            offset = batch.end(offset);
            number++;
        }
        segment.unverified = offset < segment.size;
        return true;
    }

    private @Nullable Segment next() {
        for (Segment segment : segments.all()) {
            if (segment.unverified) {
                return segment;
            }
        }
        return null;
    }
}
