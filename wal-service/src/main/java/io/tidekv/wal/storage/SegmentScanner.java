package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads one segment back. A batch that is not whole is a tear when nothing vouches for it: no later
 * batch or segment says that it was synced. Otherwise it is damage.
 */
final class SegmentScanner {
    /** Told of every record of every whole batch, in order. */
    interface Visitor {
        void visit(LogRecord record, long place, int size);

        /** The same with the record's bytes, which begin at {@code at} and are not kept. */
        default void visit(LogRecord record, long place, int size, ByteBuffer buffer, int at) {
            visit(record, place, size);
        }

        /** A whole batch begins; its records follow. */
        default void batch(long offset, BatchHeader header) {}
    }

    /** Told of damage. */
    interface Damages {
        /** Throws it, or returns for the reading to go on with the next whole batch. */
        void found(StorageDamageException damage) throws StorageDamageException;
    }

    /**
     * Where the whole batches end.
     *
     * @param nextBatch number of the batch that comes next
     * @param synced newest sync mark met
     * @param oldest oldest segment that the newest batch needs; 0 when there is no batch
     * @param torn an unfinished batch follows. Of one whose header was not written nothing is seen
     */
    record End(long offset, long nextBatch, Position synced, long oldest, boolean torn) {}

    private final UUID node;
    private final long segment;
    private final WalFile file;
    private final long size;
    private final Window window;

    SegmentScanner(UUID node, long segment, WalFile file) throws IOException {
        this.node = node;
        this.segment = segment;
        this.file = file;
        size = file.size();
        window = new Window(file);
    }

    /**
     * The segment's header; null when it was never completed, and so nothing was ever written
     * behind it.
     */
    @Nullable SegmentHeader header() throws IOException {
        ByteBuffer block = window.load(0, SegmentHeader.BLOCK);
        int at = window.at(0);
        ByteBuffer copy = ByteBuffer.allocate(SegmentHeader.BLOCK);
        int length = Math.min(SegmentHeader.BLOCK, block.limit() - at);
        copy.put(block.duplicate().limit(at + length).position(at)).flip();
        SegmentHeader header = SegmentHeader.decode(copy);
        int format = SegmentHeader.format(copy);
        if (header == null ? format > SegmentHeader.FORMAT : format != SegmentHeader.FORMAT) {
            throw new IOException(
                    file.name()
                            + " has format "
                            + format
                            + ", and this version of TideKV knows "
                            + SegmentHeader.FORMAT
                            + " only");
        } else if (header == null) {
            if (findBatch(0, Position.START)) {
                throw new StorageDamageException(file.name(), 0, "the header is not whole");
            }
            return null;
        } else if (!header.node().equals(node)) {
            throw new IOException(
                    file.name() + " belongs to another WAL node (" + header.node() + ")");
        } else if (header.segment() != segment) {
            throw new StorageDamageException(
                    file.name(), 0, "the header is that of segment " + header.segment());
        }
        return header;
    }

    /**
     * Visits all whole batches.
     *
     * @param vouched end of the segment as its successor knows it; -1 for the last segment
     */
    End scan(SegmentHeader header, long vouched, Visitor visitor, Damages damages)
            throws IOException {
        if (vouched >= 0 && size != vouched) {
            damages.found(
                    new StorageDamageException(
                            file.name(), size, "the file should end at " + vouched));
        }
        long offset = SegmentHeader.BLOCK;
        long number = header.firstBatch();
        Position synced = new Position(segment, SegmentHeader.BLOCK);
        long oldest = 0;
        while (offset < size) {
            BatchHeader batch = wholeBatch(offset, number);
            if (batch == null) {
                if (vouched < 0 && !findBatch(offset, new Position(segment, (int) offset))) {
                    break;
                }
                damages.found(
                        new StorageDamageException(
                                file.name(), offset, "a batch that had been synced is not whole"));
                BatchHeader after = null;
                while (after == null && offset < size) {
                    offset += SegmentHeader.BLOCK;
                    after = wholeBatchAfter(offset, number);
                }
                number = after == null ? number : after.number();
                continue;
            }
            visitor.batch(offset, batch);
            visit(offset, batch, visitor);
            synced = batch.synced();
            oldest = batch.oldest();
            offset = batch.end(offset);
            number++;
        }
        return new End(offset, number, synced, oldest, headerAt(offset) != null);
    }

    /** The batch at {@code offset} when it is the one expected and all its records are whole. */
    @Nullable BatchHeader wholeBatch(long offset, long number) throws IOException {
        BatchHeader batch = wholeBatchAfter(offset, number - 1);
        return batch != null && batch.number() == number ? batch : null;
    }

    /**
     * The batch at {@code offset} when it is whole and its number is higher than {@code number}.
     */
    private @Nullable BatchHeader wholeBatchAfter(long offset, long number) throws IOException {
        BatchHeader batch = headerAt(offset);
        if (batch == null || batch.number() <= number || batch.end(offset) > size) {
            return null;
        }
        ByteBuffer buffer = window.load(offset, BatchHeader.SIZE + batch.length());
        int at = window.at(offset) + BatchHeader.SIZE;
        int end = at + batch.length();
        int sum = 0;
        while (at < end) {
            int recordSize = LogRecord.check(buffer, at, end);
            if (recordSize < 0) {
                return null;
            }
            sum = BatchHeader.add(sum, LogRecord.crcAt(buffer, at));
            at += recordSize;
        }
        return sum == batch.sum() ? batch : null;
    }

    private @Nullable BatchHeader headerAt(long offset) throws IOException {
        ByteBuffer buffer = window.load(offset, BatchHeader.SIZE);
        return BatchHeader.decode(buffer, window.at(offset), node, segment);
    }

    private void visit(long offset, BatchHeader batch, Visitor visitor) throws IOException {
        ByteBuffer buffer = window.load(offset, BatchHeader.SIZE + batch.length());
        int first = window.at(offset);
        int at = first + BatchHeader.SIZE;
        int end = at + batch.length();
        while (at < end) {
            // Checked before: a batch is visited when it is whole.
            int recordSize = LogRecord.sizeAt(buffer, at);
            LogRecord record = LogRecord.decode(buffer, at, recordSize);
            int inFile = (int) offset + at - first;
            if (record == null) {
                throw new IOException(
                        file.name()
                                + " holds a record of an unknown kind at byte "
                                + inFile
                                + ": use a newer version of TideKV");
            }
            visitor.visit(record, Position.pack(segment, inFile), recordSize, buffer, at);
            at += recordSize;
        }
    }

    /** Whether a batch behind {@code offset} says that more than {@code from} was synced. */
    private boolean findBatch(long offset, Position from) throws IOException {
        for (long at = offset; at < size; at += SegmentHeader.BLOCK) {
            BatchHeader batch = headerAt(at);
            if (batch != null && batch.synced().compareTo(from) > 0) {
                return true;
            }
        }
        return false;
    }
}
