package io.tidekv.wal.storage;

import io.tidekv.proto.wal.VoterMeta;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;

/** Reads a full segment from its beginning to its end, for who keeps a copy of it elsewhere. */
public final class SegmentReader {
    private SegmentReader() {}

    /** Told of everything, in order. May throw what is not checked to end the reading. */
    public interface Visitor {
        /**
         * A batch begins.
         *
         * @param end of it in the file
         * @param wallMillis when it was written; 0: not known
         */
        void batch(long from, long end, long wallMillis);

        void meta(long regionId, VoterMeta meta, boolean reset);

        /** {@code data} are only there during the call. */
        void entry(long regionId, long index, long term, int kind, boolean moved, ByteBuffer data);
    }

    /**
     * Reads it through a handle of its own, so that the segment's owner may go on meanwhile.
     *
     * @throws StorageDamageException when it is not what it was
     */
    public static void read(WalFiles files, UUID node, SealedSegment segment, Visitor visitor)
            throws IOException {
        try (WalFile file = files.open(SegmentHeader.fileName(segment.number()))) {
            SegmentScanner scanner = new SegmentScanner(node, segment.number(), file);
            SegmentHeader header = scanner.header();
            if (header == null) {
                throw new StorageDamageException(file.name(), 0, "the header is not whole");
            }
            scanner.scan(
                    header,
                    segment.length(),
                    new Told(visitor),
                    damage -> {
                        throw damage;
                    });
        }
    }

    private record Told(Visitor visitor) implements SegmentScanner.Visitor {
        @Override
        public void batch(long offset, BatchHeader header) {
            visitor.batch(offset, header.end(offset), header.wallMillis());
        }

        @Override
        public void visit(LogRecord record, long place, int size) {
            throw new IllegalStateException("the bytes are needed");
        }

        @Override
        public void visit(LogRecord record, long place, int size, ByteBuffer buffer, int at) {
            if (record instanceof LogRecord.Meta meta) {
                visitor.meta(meta.regionId(), meta.meta(), meta.reset());
            } else if (record instanceof LogRecord.Written entry) {
                visitor.entry(
                        entry.regionId(),
                        entry.index(),
                        entry.term(),
                        LogRecord.kindAt(buffer, at),
                        entry.moved(),
                        LogRecord.dataAt(buffer, at, size));
            }
        }
    }
}
