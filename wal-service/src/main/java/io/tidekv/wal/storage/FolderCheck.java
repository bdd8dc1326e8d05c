package io.tidekv.wal.storage;

import io.tidekv.wal.core.VoterStorage.Recovered;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Reads the folder of a WAL node that does not run, and changes nothing. Unlike a start it goes on
 * behind damage, to tell all of it.
 */
public final class FolderCheck {
    /** Told of everything, in the order of the log. */
    public interface Listener {
        default void segment(String file, long bytes, long firstBatch) {}

        default void batch(String file, long offset, long number, int bytes) {}

        /**
         * A record.
         *
         * @param kind meta, reset, entry or moved
         * @param index of an entry; the snapshot's of a meta
         * @param term of an entry; the voter's of a meta
         * @param bytes of the whole record
         */
        default void record(
                String file,
                long offset,
                String kind,
                long regionId,
                long index,
                long term,
                int bytes) {}
    }

    /**
     * What was found.
     *
     * @param damages what cannot come from a loss of power; a start repairs it
     * @param remarks what a start would tidy up
     * @param regions empty when damage leaves no certain picture
     */
    public record Findings(
            NodeIdentity identity,
            int segments,
            long bytes,
            long batches,
            long records,
            List<String> damages,
            List<String> remarks,
            List<Recovered> regions) {}

    private final WalFiles files;
    private final Listener listener;
    private final List<String> damages = new ArrayList<>();
    private final List<String> remarks = new ArrayList<>();
    private final Map<Long, SegmentHeader> headers = new HashMap<>();
    private final RegionLogs regions = new RegionLogs(new Uncounted());
    private UUID node = new UUID(0, 0);
    private int segments;
    private long bytes;
    private long batches;
    private long records;

    private FolderCheck(WalFiles files, Listener listener) {
        this.files = files;
        this.listener = listener;
    }

    /**
     * Reads everything.
     *
     * @throws IOException the folder cannot be read, or is not a WAL node's
     */
    public static Findings run(WalFiles files, Listener listener) throws IOException {
        return new FolderCheck(files, listener).run();
    }

    private Findings run() throws IOException {
        NodeIdentity identity = new IdentityFile(files).existing();
        node = identity.uuid();
        List<Long> numbers = new ArrayList<>();
        for (String name : files.list()) {
            long number = SegmentHeader.number(name);
            if (number >= 0) {
                numbers.add(number);
            } else if (name.equals(RepairSwap.NAME)) {
                remarks.add(name + ": a repair is decided, a start finishes it");
            } else if (name.endsWith(RepairSwap.DAMAGED) || name.endsWith(RepairSwap.ASIDE)) {
                remarks.add(name + " is from before a repair");
            }
        }
        readHeaders(numbers);
        long oldest = 0;
        long nextBatch = -1;
        for (int i = 0; i < numbers.size(); i++) {
            SegmentHeader header = headers.get(numbers.get(i));
            if (header == null) {
                nextBatch = -1;
                continue;
            }
            if (nextBatch >= 0 && header.firstBatch() != nextBatch) {
                damage(name(header), 0, "batches before it are missing");
            }
            SegmentHeader next = headers.get(header.segment() + 1);
            boolean last = i == numbers.size() - 1;
            SegmentScanner.End end = scan(header, next == null ? -1 : next.previousEnd(), last);
            oldest = Math.max(oldest, end.oldest());
            nextBatch = next == null ? -1 : end.nextBatch();
        }
        if (!numbers.isEmpty() && oldest > 0 && numbers.get(0) > oldest) {
            damage(SegmentHeader.fileName(oldest), 0, "the file is missing");
        }
        String missing = regions.settle();
        if (missing != null) {
            damages.add(missing);
        }
        return new Findings(
                identity,
                segments,
                bytes,
                batches,
                records,
                List.copyOf(damages),
                List.copyOf(remarks),
                damages.isEmpty() ? regions.recovered() : List.of());
    }

    private void readHeaders(List<Long> numbers) throws IOException {
        for (int i = 0; i < numbers.size(); i++) {
            long number = numbers.get(i);
            String name = SegmentHeader.fileName(number);
            if (i > 0 && number != numbers.get(i - 1) + 1) {
                damage(SegmentHeader.fileName(numbers.get(i - 1) + 1), 0, "the file is missing");
            }
            try (WalFile file = files.open(name)) {
                SegmentHeader header = new SegmentScanner(node, number, file).header();
                if (header != null) {
                    headers.put(number, header);
                } else if (i < numbers.size() - 1) {
                    damage(name, 0, "the header is not whole");
                } else {
                    remarks.add(name + " was being made when the node ended: a start deletes it");
                }
            } catch (StorageDamageException e) {
                damage(e.file(), e.offset(), e.what());
            }
        }
    }

    private SegmentScanner.End scan(SegmentHeader header, long vouched, boolean last)
            throws IOException {
        String name = name(header);
        try (WalFile file = files.open(name)) {
            segments++;
            bytes += file.size();
            listener.segment(name, file.size(), header.firstBatch());
            SegmentScanner scanner = new SegmentScanner(node, header.segment(), file);
            SegmentScanner.End end =
                    scanner.scan(
                            header,
                            vouched,
                            new Told(name),
                            found -> damage(found.file(), found.offset(), found.what()));
            if (last && end.torn()) {
                remarks.add(
                        name
                                + " ends with "
                                + (file.size() - end.offset())
                                + " bytes of an unfinished batch at byte "
                                + end.offset()
                                + ": a start cuts them");
            }
            return end;
        }
    }

    private void damage(String file, long offset, String what) {
        damages.add(file + " at byte " + offset + ": " + what);
    }

    private static String name(SegmentHeader header) {
        return SegmentHeader.fileName(header.segment());
    }

    /** Passes on what a segment holds. */
    private final class Told implements SegmentScanner.Visitor {
        private final String name;

        Told(String name) {
            this.name = name;
        }

        @Override
        public void batch(long offset, BatchHeader header) {
            batches++;
            listener.batch(name, offset, header.number(), header.length());
        }

        @Override
        public void visit(LogRecord record, long place, int size) {
            records++;
            regions.visit(record, place, size);
            int offset = Position.offset(place);
            long region = record.regionId();
            if (record instanceof LogRecord.Meta meta) {
                String kind = meta.reset() ? "reset" : "meta";
                long index = meta.meta().getSnapshot().getIndex();
                listener.record(name, offset, kind, region, index, meta.meta().getTerm(), size);
            } else if (record instanceof LogRecord.Written entry) {
                String kind = entry.moved() ? "moved" : "entry";
                listener.record(name, offset, kind, region, entry.index(), entry.term(), size);
            }
        }
    }

    /** Nothing is deleted here, so nothing need be counted. */
    private static final class Uncounted implements EntryIndex.Usage {
        @Override
        public void hold(long place, int size) {}

        @Override
        public void release(long place, int size) {}
    }
}
