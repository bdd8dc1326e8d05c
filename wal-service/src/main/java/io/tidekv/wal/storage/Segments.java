package io.tidekv.wal.storage;

import io.tidekv.common.Invariants;
import java.io.IOException;
import java.util.Collection;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The open segments by number, each with the count of bytes that are still needed. */
final class Segments implements EntryIndex.Usage, AutoCloseable {
    private final TreeMap<Long, Segment> byNumber = new TreeMap<>();

    void add(Segment segment) {
        byNumber.put(segment.number, segment);
    }

    boolean isEmpty() {
        return byNumber.isEmpty();
    }

    Collection<Segment> all() {
        return byNumber.values();
    }

    Segment oldest() {
        return byNumber.firstEntry().getValue();
    }

    Segment newest() {
        return byNumber.lastEntry().getValue();
    }

    /** The segment that follows; null behind the newest. */
    @Nullable Segment after(Segment segment) {
        var next = byNumber.higherEntry(segment.number);
        return next == null ? null : next.getValue();
    }

    Segment of(long place) {
        return Invariants.present(byNumber.get(Position.segment(place)), "segment of a record");
    }

    Segment removeOldest() {
        return byNumber.pollFirstEntry().getValue();
    }

    void removeNewest() {
        byNumber.pollLastEntry();
    }

    /** The oldest segment with anything still needed in it, else the newest. */
    Segment oldestNeeded() {
        for (Segment segment : byNumber.values()) {
            if (segment.live > 0) {
                return segment;
            }
        }
        return newest();
    }

    long totalBytes() {
        return bytes(0);
    }

    /** Number of the oldest of those that hold the last {@code bytes} before the newest. */
    long recent(long bytes) {
        long recent = newest().number;
        long between = 0;
        for (Segment segment : byNumber.descendingMap().tailMap(recent, false).values()) {
            if (between >= bytes) {
                break;
            }
            between += segment.size;
            recent = segment.number;
        }
        return recent;
    }

    /** Bytes of all but the old segments that only wait for being deleted. */
    long neededBytes() {
        return bytes(oldestNeeded().number);
    }

    private long bytes(long from) {
        long bytes = 0;
        for (Segment segment : byNumber.values()) {
            bytes += segment.number >= from ? segment.size : 0;
        }
        return bytes;
    }

    long liveBytes() {
        long bytes = 0;
        for (Segment segment : byNumber.values()) {
            bytes += segment.live;
        }
        return bytes;
    }

    @Override
    public void hold(long place, int size) {
        of(place).live += size;
    }

    @Override
    public void release(long place, int size) {
        Segment segment = byNumber.get(Position.segment(place));
        if (segment != null) {
            segment.live -= size;
            Invariants.check(
                    segment.live >= 0, "segment %s: %s live", segment.number, segment.live);
        }
    }

    /** Closes all; the first failure is thrown after that. */
    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (Segment segment : byNumber.values()) {
            try {
                segment.file.close();
            } catch (IOException e) {
                failure = failure == null ? e : failure;
            }
        }
        byNumber.clear();
        if (failure != null) {
            throw failure;
        }
    }
}
