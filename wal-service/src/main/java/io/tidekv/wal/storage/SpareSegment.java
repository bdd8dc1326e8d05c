package io.tidekv.wal.storage;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * At most one dead segment, kept to be written over: its blocks are there, so that a sync of what
 * is written into them need not wait for the file system's journal. What it still holds carries the
 * number of a dead segment, so none of it passes for a batch of the new one.
 */
final class SpareSegment {
    private static final String NAME = "SPARE";

    private final WalFiles files;
    private long bytes;

    SpareSegment(WalFiles files) {
        this.files = files;
    }

    /**
     * At a start, before any segment is made: one of an earlier process goes. A crash may have left
     * a segment under both names.
     */
    static void clear(WalFiles files) throws IOException {
        if (files.list().contains(NAME)) {
            files.delete(NAME);
            files.syncFolder();
        }
    }

    /** Bytes it takes; 0 without one. */
    long bytes() {
        return bytes;
    }

    /** Keeps a dead segment, whose file is closed; its name is gone for certain after a sync. */
    void keep(Segment dead) throws IOException {
        files.rename(dead.file.name(), NAME);
        bytes = dead.size;
    }

    void drop() throws IOException {
        if (bytes > 0) {
            files.delete(NAME);
            bytes = 0;
        }
    }

    /**
     * Makes a segment of it; durable with its name when this returns. Null without one.
     *
     * <p>Under its new name it always has its header, so a crash leaves it whole or not at all.
     */
    @Nullable Segment reuse(SegmentHeader header) throws IOException {
        if (bytes == 0) {
            return null;
        }
        bytes = 0;
        try (WalFile file = files.open(NAME)) {
            file.write(0, header.encode());
            file.sync();
        }
        String name = SegmentHeader.fileName(header.segment());
        files.rename(NAME, name);
        files.syncFolder();
        WalFile file = files.open(name);
        Segment segment = new Segment(header.segment(), file, SegmentHeader.BLOCK);
        segment.prepared = file.size();
        return segment;
    }
}
