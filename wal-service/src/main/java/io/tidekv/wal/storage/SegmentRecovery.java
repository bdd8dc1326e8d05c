package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the segments of a folder back: checks that none is missing, visits all records, cuts a torn
 * tail, and makes what is left durable. Repeating it changes nothing.
 */
final class SegmentRecovery {
    private static final Logger log = LoggerFactory.getLogger(SegmentRecovery.class);

    private final WalFiles files;
    private final UUID node;
    private final Segments segments;
    private final Map<Long, SegmentHeader> headers = new HashMap<>();
    private boolean verify;

    /** {@code segments} is empty, and filled here. */
    SegmentRecovery(WalFiles files, UUID node, Segments segments) {
        this.files = files;
        this.node = node;
        this.segments = segments;
    }

    /**
     * Recovers.
     *
     * @param trusted what is certain after a failed sync: everything behind it is cut, for the file
     *     system may show what the disk does not hold; null at the start of a process
     */
    SegmentLog open(
            StorageOptions options, @Nullable Position trusted, SegmentScanner.Visitor visitor)
            throws IOException {
        SpareSegment.clear(files);
        if (trusted != null) {
            // Something was wrong: believe nothing but the segments themselves.
            verify = true;
            cutBehind(trusted);
        }
        openAll();
        if (segments.isEmpty()) {
            segments.add(SegmentLog.create(files, new SegmentHeader(node, 1, 0, 1)));
            return new SegmentLog(files, node, options, segments, new SegmentIndex(), 1, 1);
        }
        SegmentIndex index = new SegmentIndex();
        long nextBatch = readAll(visitor, index);
        long firstBatch = headerOf(segments.newest()).firstBatch();
        return new SegmentLog(files, node, options, segments, index, firstBatch, nextBatch);
    }

    private List<Long> numbers() throws IOException {
        List<Long> numbers = new ArrayList<>();
        for (String name : files.list()) {
            long number = SegmentHeader.number(name);
            if (number >= 0) {
                numbers.add(number);
            }
        }
        return numbers;
    }

    private void cutBehind(Position trusted) throws IOException {
        for (long number : numbers()) {
            if (number > trusted.segment()) {
                files.delete(SegmentHeader.fileName(number));
            } else if (number == trusted.segment()) {
                try (WalFile file = files.open(SegmentHeader.fileName(number))) {
                    if (file.size() > trusted.offset()) {
                        file.truncate(trusted.offset());
                    }
                    file.sync();
                }
            }
            if (number >= trusted.segment()) {
                SegmentIndex.delete(files, number);
            }
        }
        files.syncFolder();
    }

    private void openAll() throws IOException {
        List<Long> numbers = numbers();
        for (int i = 0; i < numbers.size(); i++) {
            long number = numbers.get(i);
            if (i > 0 && number != numbers.get(i - 1) + 1) {
                throw missing(numbers.get(i - 1) + 1);
            }
            WalFile file = files.open(SegmentHeader.fileName(number));
            segments.add(new Segment(number, file, SegmentHeader.BLOCK));
            SegmentHeader header = new SegmentScanner(node, number, file).header();
            if (header != null) {
                headers.put(number, header);
            } else if (i < numbers.size() - 1) {
                throw new StorageDamageException(file.name(), 0, "the header is not whole");
            } else {
                dropUnfinished(file);
            }
        }
    }

    private void dropUnfinished(WalFile file) throws IOException {
        log.info("dropping {}, which was being made when this node ended", file.name());
        segments.removeNewest();
        file.close();
        files.delete(file.name());
        files.syncFolder();
    }

    /** Returns the number of the next batch; {@code index} gets what the newest segment holds. */
    private long readAll(SegmentScanner.Visitor visitor, SegmentIndex index) throws IOException {
        Set<String> indexes = indexes();
        long nextBatch = -1;
        long oldest = 0;
        for (Segment segment : segments.all()) {
            SegmentHeader header = headerOf(segment);
            if (nextBatch >= 0 && header.firstBatch() != nextBatch) {
                throw new StorageDamageException(
                        segment.file.name(), 0, "batches before it are missing");
            }
            Segment next = segments.after(segment);
            SegmentIndex.Loaded loaded = null;
            if (next != null && indexes.contains(SegmentIndex.fileName(segment.number))) {
                loaded = SegmentIndex.load(files, header, headerOf(next).previousEnd());
            }
            if (next != null && loaded != null) {
                segment.size = checkedSize(segment, headerOf(next));
                segment.unverified = true;
                segment.firstBatch = header.firstBatch();
                SegmentIndex.replay(segment.number, loaded, visitor);
                nextBatch = loaded.nextBatch();
                oldest = Math.max(oldest, loaded.oldest());
            } else {
                SegmentScanner.End end = scan(segment, next, visitor, index);
                nextBatch = end.nextBatch();
                oldest = Math.max(oldest, end.oldest());
            }
        }
        if (oldest > 0 && segments.oldest().number > oldest) {
            throw missing(oldest);
        }
        return nextBatch;
    }

    /** Index files that may be used; deletes those whose segments are gone. */
    private Set<String> indexes() throws IOException {
        Set<String> usable = new HashSet<>();
        long oldest = segments.oldest().number;
        for (String name : files.list()) {
            long number = SegmentIndex.number(name);
            if (number >= 0 && number < oldest) {
                files.delete(name);
            } else if (number >= 0 && !verify) {
                usable.add(name);
            }
        }
        return usable;
    }

    private static long checkedSize(Segment segment, SegmentHeader next) throws IOException {
        long size = segment.file.size();
        if (size != next.previousEnd()) {
            throw new StorageDamageException(
                    segment.file.name(), size, "the file should end at " + next.previousEnd());
        }
        return size;
    }

    /** Reads a segment, the newest of which {@code index} has to know, or one without an index. */
    private SegmentScanner.End scan(
            Segment segment,
            @Nullable Segment next,
            SegmentScanner.Visitor visitor,
            SegmentIndex index)
            throws IOException {
        SegmentScanner.Visitor noting =
                (record, place, size) -> {
                    visitor.visit(record, place, size);
                    if (next == null) {
                        index.add(record, Position.offset(place), size);
                    }
                };
        SegmentScanner.End end =
                new SegmentScanner(node, segment.number, segment.file)
                        .scan(
                                headerOf(segment),
                                next == null ? -1 : headerOf(next).previousEnd(),
                                noting,
                                SegmentRecovery::refuse);
        segment.size = end.offset();
        if (next == null) {
            settle(segment, end);
        }
        return end;
    }

    private static void refuse(StorageDamageException damage) throws StorageDamageException {
        throw damage;
    }

    private SegmentHeader headerOf(Segment segment) {
        return Invariants.present(headers.get(segment.number), "header");
    }

    /**
     * Cuts what is torn, and writes once more what no mark covers: after a sync that failed in an
     * earlier process, the file system may take those bytes for written though they are not.
     */
    private static void settle(Segment segment, SegmentScanner.End end) throws IOException {
        WalFile file = segment.file;
        long size = file.size();
        if (size > end.offset()) {
            if (end.torn()) {
                log.info(
                        "cutting {} bytes of an unfinished batch from {} at byte {}",
                        size - end.offset(),
                        file.name(),
                        end.offset());
            }
            file.truncate(end.offset());
        }
        long from =
                end.synced().segment() == segment.number
                        ? end.synced().offset()
                        : SegmentHeader.BLOCK;
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        for (long at = from; at < end.offset(); at += bytes.capacity()) {
            bytes.clear().limit((int) Math.min(bytes.capacity(), end.offset() - at));
            file.read(at, bytes);
            file.write(at, bytes.flip());
        }
        file.sync();
    }

    private StorageDamageException missing(long number) {
        return new StorageDamageException(
                SegmentHeader.fileName(number), 0, "the file is missing in " + files.location());
    }
}
