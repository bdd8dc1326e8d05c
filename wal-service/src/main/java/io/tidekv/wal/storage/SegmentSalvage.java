package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import io.tidekv.proto.region.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads segments of which some are damaged or missing, as far as they can be read, and changes
 * nothing. The index of a full segment tells what its damaged batches held.
 */
final class SegmentSalvage implements AutoCloseable {
    private static final SegmentScanner.Visitor NOBODY = (record, place, size) -> {};

    private final WalFiles files;
    private final UUID node;
    private final SalvagedLogs logs = new SalvagedLogs();
    private final TreeMap<Long, WalFile> open = new TreeMap<>();
    private final TreeMap<Long, SegmentHeader> headers = new TreeMap<>();
    private final Set<String> damaged = new TreeSet<>();
    private long oldest;
    private long nextBatch = -1;
    private long highestBatch;

    SegmentSalvage(WalFiles files, UUID node) {
        this.files = files;
        this.node = node;
    }

    SalvagedLogs logs() {
        return logs;
    }

    /** Names of the files that are damaged or missing, as far as is known. */
    Set<String> damaged() {
        return damaged;
    }

    /** The number of the segment that comes next. */
    long nextSegment() {
        return open.lastKey() + 1;
    }

    /** A number for the batch that comes next. */
    long nextBatch() {
        return highestBatch + 1;
    }

    /**
     * Reads all there is.
     *
     * @throws IOException the files cannot be read, or come from another node or a newer version
     */
    void read() throws IOException {
        openAll();
        List<Long> numbers = new ArrayList<>(open.keySet());
        for (int i = 0; i < numbers.size(); i++) {
            long number = numbers.get(i);
            boolean last = i == numbers.size() - 1;
            if (i > 0 && number != numbers.get(i - 1) + 1) {
                damaged.add(SegmentHeader.fileName(numbers.get(i - 1) + 1));
                logs.hole();
                nextBatch = -1;
            }
            if (!last || headers.containsKey(number)) {
                read(number, last);
            }
        }
        if (oldest > 0 && numbers.get(0) > oldest) {
            damaged.add(SegmentHeader.fileName(oldest));
            logs.headless();
        }
    }

    private void openAll() throws IOException {
        for (String name : files.list()) {
            long number = SegmentHeader.number(name);
            if (number >= 0) {
                open.put(number, files.open(name));
            }
        }
        if (open.isEmpty()) {
            throw new IOException("there are no segments in " + files.location());
        }
        for (WalFile file : open.values()) {
            long number = SegmentHeader.number(file.name());
            try {
                SegmentHeader header = new SegmentScanner(node, number, file).header();
                if (header != null) {
                    headers.put(number, header);
                } else if (number != open.lastKey()) {
                    damaged.add(file.name());
                }
            } catch (StorageDamageException e) {
                damaged.add(file.name());
                // Something lies behind it: it is read as far as it can be.
                headers.put(number, new SegmentHeader(node, number, 0, 0));
            }
        }
    }

    private void read(long number, boolean last) throws IOException {
        WalFile file = Invariants.present(open.get(number), "segment");
        SegmentHeader header = headers.get(number);
        SegmentHeader next = headers.get(number + 1);
        boolean vouched = next != null && next.firstBatch() > 0;
        SegmentIndex.Loaded index = last ? null : SegmentIndex.loadAny(files, node, number);
        long first =
                header != null && header.firstBatch() > 0
                        ? header.firstBatch()
                        : Math.max(1, nextBatch);
        if (nextBatch >= 0 && first != nextBatch) {
            logs.hole();
        }
        long end = next != null && vouched ? next.previousEnd() : file.size();
        SegmentScanner.End found =
                new SegmentScanner(node, number, file)
                        .scan(
                                new SegmentHeader(node, number, 0, first),
                                last ? -1 : end,
                                index == null ? logs : NOBODY,
                                damage -> {
                                    damaged.add(file.name());
                                    if (index == null) {
                                        logs.hole();
                                    }
                                });
        nextBatch = found.nextBatch();
        oldest = Math.max(oldest, found.oldest());
        if (index != null) {
            SegmentIndex.replay(number, index, logs);
            nextBatch = index.nextBatch();
            oldest = Math.max(oldest, index.oldest());
        }
        highestBatch = Math.max(highestBatch, nextBatch);
    }

    /** An entry that a log refers to; null when its bytes are not what they were. */
    @Nullable Entry entry(RegionLog region, long index) throws IOException {
        long place = region.entries.place(index);
        int size = region.entries.size(index);
        WalFile file = open.get(Position.segment(place));
        if (file == null) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.allocate(size);
        file.read(Position.offset(place), bytes);
        bytes.flip();
        if (bytes.limit() == size && LogRecord.check(bytes, 0, size) == size) {
            Entry entry = LogRecord.entry(bytes, 0, size);
            if (entry.getIndex() == index && entry.getTerm() == region.entries.term(index)) {
                return entry;
            }
        }
        damaged.add(file.name());
        return null;
    }

    @Override
    public void close() throws IOException {
        for (WalFile file : open.values()) {
            file.close();
        }
    }
}
