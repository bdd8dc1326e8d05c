package io.tidekv.wal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segments as one append-only sequence of batches. Knows nothing of regions. After an
 * IOException from {@link #write}, {@link #sync}, {@link #mark} or {@link #maintain} what is
 * durable is not known and this object must be dropped.
 */
final class SegmentLog {
    /** Offsets have 31 bits; what a batch may add keeps below this bound. */
    private static final long SEGMENT_BYTES_MAX = 1L << 30;

    /** Segments that were closed early: each is a file, and an open one, however small it is. */
    private static final int SMALL_MAX = 64;

    private static final Logger logger = LoggerFactory.getLogger(SegmentLog.class);

    private final WalFiles files;
    private final UUID node;
    private final StorageOptions options;
    private final Segments segments;
    private final BatchBuffer batch = new BatchBuffer();
    private final SpareSegment spare;
    private Segment current;
    // What the current segment holds, for its index.
    private final SegmentIndex index;
    private long firstBatch;
    private long nextBatch;
    // Everything before this place is durable.
    private Position synced;
    // The oldest segment still needed, as the newest written and the newest synced batch say it.
    private long oldestWritten;
    private long oldestSynced;
    private boolean unsynced;
    private boolean marked;
    private int lastLength;
    private boolean sealing;
    // Segments from here on stay, needed or not.
    private long heldFrom = Long.MAX_VALUE;
    private long syncs;
    private long batches;

    /**
     * Continues behind the newest of {@code segments}, which is synced whole, begins with batch
     * {@code firstBatch} and holds what {@code index} lists.
     */
    SegmentLog(
            WalFiles files,
            UUID node,
            StorageOptions options,
            Segments segments,
            SegmentIndex index,
            long firstBatch,
            long nextBatch) {
        this.files = files;
        this.node = node;
        this.options = options;
        this.segments = segments;
        this.index = index;
        this.firstBatch = firstBatch;
        this.nextBatch = nextBatch;
        spare = new SpareSegment(files);
        current = segments.newest();
        batch.beginAt(current.size);
        synced = new Position(current.number, (int) current.size);
        marked = current.size == SegmentHeader.BLOCK;
        oldestWritten = segments.oldest().number;
        oldestSynced = oldestWritten;
    }

    /** Makes a segment; durable with its name when this returns. */
    static Segment create(WalFiles files, SegmentHeader header) throws IOException {
        WalFile file = files.create(SegmentHeader.fileName(header.segment()));
        try {
            file.write(0, header.encode());
            file.sync();
            files.syncFolder();
        } catch (IOException e) {
            file.close();
            throw e;
        }
        return new Segment(header.segment(), file, SegmentHeader.BLOCK);
    }

    /** Whether {@code bytes} more fit in the segment under way. */
    boolean fits(long bytes) {
        return current.size + batch.size() + bytes < SEGMENT_BYTES_MAX;
    }

    /** Bytes of the batch under way. */
    long unwritten() {
        return batch.size();
    }

    /** Where the next record will lie. */
    long nextPlace() {
        return Position.pack(current.number, (int) current.size + batch.size());
    }

    /** Buffer at whose position a record of {@code bytes} is to be encoded. */
    ByteBuffer room(int bytes) {
        return batch.room(bytes);
    }

    /** The record at {@code place}, checked; written or not. */
    ByteBuffer read(long place, int size) throws IOException {
        Segment segment = segments.of(place);
        int offset = Position.offset(place);
        ByteBuffer bytes;
        if (segment.number == current.number && offset >= current.size) {
            bytes = batch.view((int) (offset - current.size), size);
        } else {
            bytes = ByteBuffer.allocate(size);
            segment.file.read(offset, bytes);
            bytes.flip();
        }
        if (bytes.limit() < size || LogRecord.check(bytes, 0, size) != size) {
            throw new StorageDamageException(segment.file.name(), offset, "a record has changed");
        }
        return bytes;
    }

    /**
     * Hands the batch under way to the file system. False when there was nothing to write.
     *
     * @param wallMillis when that is, by the wall clock; 0: not known
     * @param readSoon whether somebody is about to read it: a large one is not kept in memory else
     */
    boolean write(long wallMillis, boolean readSoon) throws IOException {
        if (batch.isEmpty()) {
            return false;
        }
        writeBatch(wallMillis, readSoon);
        marked = false;
        return true;
    }

    /**
     * Writes a batch without records, which vouches for the one before, unless something does
     * already. Must be followed by {@link #sync}.
     */
    void mark() throws IOException {
        if (!marked && !unsynced && batch.isEmpty()) {
            writeBatch(0, true);
            marked = true;
        }
    }

    private void writeBatch(long wallMillis, boolean readSoon) throws IOException {
        oldestWritten = segments.oldestNeeded().number;
        ByteBuffer bytes =
                batch.seal(nextBatch, synced, oldestWritten, wallMillis, node, current.number);
        int length = bytes.remaining();
        ByteBuffer blocks = length >= options.largeBytes() && !readSoon ? batch.blocks() : null;
        if (blocks == null) {
            current.file.write(current.size, bytes);
        } else {
            writeBlocks(blocks);
        }
        note(bytes);
        current.size += length;
        lastLength = length;
        nextBatch++;
        batches++;
        unsynced = true;
        batch.next();
    }

    /**
     * What the first block held before is written once more, the same bytes: no sector that was
     * synced changes. Behind the batch the last one is zeros, as if written ahead.
     */
    private void writeBlocks(ByteBuffer blocks) throws IOException {
        long from = current.size & -WalFile.BLOCK;
        current.prepared = Math.max(current.prepared, from + blocks.remaining());
        current.file.writeBlocks(from, blocks);
    }

    /** Takes the records of a batch that begins at the end of the current segment. */
    private void note(ByteBuffer written) {
        ByteBuffer bytes = written.duplicate().position(0);
        int end = BatchHeader.SIZE + BatchHeader.length(bytes);
        for (int at = BatchHeader.SIZE; at < end; ) {
            int size = LogRecord.sizeAt(bytes, at);
            LogRecord record = LogRecord.decode(bytes, at, size);
            if (record != null) {
                index.add(record, (int) current.size + at, size);
            }
            at += size;
        }
    }

    /** Makes durable everything written. */
    void sync() throws IOException {
        if (!unsynced) {
            return;
        }
        current.file.sync();
        syncs++;
        unsynced = false;
        synced = new Position(current.number, (int) current.size);
        oldestSynced = oldestWritten;
    }

    /**
     * Between batches: begins a new segment behind a full one, deletes those not needed.
     *
     * @param usableBytes of the disk; when there is hardly any, nothing is made
     */
    void maintain(long usableBytes) throws IOException {
        if (unsynced || !batch.isEmpty()) {
            return;
        }
        boolean roomy = usableBytes >= options.reservedBytes() + 16 * options.aheadBytes();
        if (!roomy || !hasPlaceFor(spare.bytes())) {
            spare.drop();
        }
        if (usableBytes > options.reservedBytes() / 4) {
            if (current.size >= options.segmentBytes() || (sealing && !index.isEmpty())) {
                roll();
            }
            sealing = false;
            if (roomy) {
                prepare();
            }
        }
        while (segments.oldest().number < Math.min(oldestSynced, heldFrom)) {
            remove(segments.removeOldest(), roomy);
        }
    }

    private void remove(Segment dead, boolean roomy) throws IOException {
        dead.file.close();
        boolean wanted = spare.bytes() == 0 && dead.size >= options.segmentBytes();
        if (roomy && wanted && hasPlaceFor(dead.size)) {
            spare.keep(dead);
        } else {
            files.delete(dead.file.name());
        }
        SegmentIndex.delete(files, dead.number);
        // One at a time: a gap between segments would look like a loss.
        files.syncFolder();
    }

    /** Whether with a spare segment all is still at most twice what is live and two segments. */
    private boolean hasPlaceFor(long bytes) {
        long allowed = 2 * (segments.liveBytes() + options.segmentBytes());
        return segments.neededBytes() + bytes <= allowed;
    }

    /**
     * Writes zeros ahead of small batches. A file that grows with each sync has the file system
     * commit its journal each time, together with everybody else's changes; one that does not needs
     * its own bytes written and nothing else. What is read back there is a tail to be cut.
     */
    private void prepare() throws IOException {
        long ahead = options.aheadBytes();
        long until = Math.min(current.size + ahead, options.segmentBytes() & -SegmentHeader.BLOCK);
        long from = Math.max(current.prepared, current.size);
        boolean enough = from - current.size >= ahead / 2 || until <= from;
        if (enough || lastLength > ahead / 8) {
            return;
        }
        current.file.write(from, ByteBuffer.allocateDirect((int) (until - from)));
        current.prepared = until;
    }

    private void roll() throws IOException {
        Segment full = current;
        if (full.prepared > full.size) {
            // The next header vouches for the length.
            full.file.truncate(full.size);
            full.file.sync();
            full.prepared = full.size;
        }
        SegmentHeader header = new SegmentHeader(node, full.number + 1, full.size, nextBatch);
        Segment reused = spare.reuse(header);
        current = reused == null ? create(files, header) : reused;
        batch.beginAt(current.size);
        try {
            index.write(files, node, full.number, full.size, firstBatch, nextBatch, oldestWritten);
        } catch (IOException e) {
            logger.warn("no index for {}: the next start will read all of it", full.file.name(), e);
        }
        index.clear();
        firstBatch = nextBatch;
        segments.add(current);
        synced = new Position(current.number, SegmentHeader.BLOCK);
        // The header vouches for the last batch.
        marked = true;
    }

    /** At the next maintenance a segment with any records is followed by a new one. */
    void seal() {
        sealing = true;
    }

    /** Segments from this number on are not deleted, even when nobody here needs them. */
    void holdFrom(long segment) {
        heldFrom = segment;
    }

    /** The oldest segment, when it is worth writing anew what it still holds; else -1. */
    long wasteful() {
        Segment oldest = segments.oldestNeeded();
        long needed = segments.neededBytes();
        boolean tooMuch = needed > 2 * segments.liveBytes() + options.segmentBytes();
        long count = current.number - oldest.number;
        boolean tooMany = count > SMALL_MAX && needed < count * (options.segmentBytes() / 2);
        return (tooMuch || tooMany) && oldest.number != current.number ? oldest.number : -1;
    }

    /** False when nothing vouches for the last batch yet. */
    boolean isMarked() {
        return marked;
    }

    /** Everything before this place is durable. */
    Position synced() {
        return synced;
    }

    StorageStats stats(long full) {
        return new StorageStats(
                segments.all().size(),
                segments.totalBytes() + spare.bytes(),
                segments.liveBytes(),
                syncs,
                batches,
                full);
    }
}
