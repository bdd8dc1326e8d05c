package io.tidekv.objects.archive;

import io.tidekv.proto.region.Snapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Goes through what one node wrote of one region, as the node itself would after a restart, and
 * hands on what is certainly committed.
 *
 * <p>What is kept is never more than the voter's log was at that moment, and perhaps less. Logs
 * that share an entry share all before it: so when an entry is committed, everything below it that
 * is in the log is committed as well.
 */
final class NodeReplay {
    private final CommitMarks marks;
    private final ProvenLog proven;
    private final TreeMap<Long, Copy> log = new TreeMap<>();
    private final List<Copy> forgotten = new ArrayList<>();
    private long wallMillis;

    NodeReplay(CommitMarks marks, ProvenLog proven) {
        this.marks = marks;
        this.proven = proven;
    }

    /** Something is missing here: anything may have been replaced meanwhile. */
    void gap() {
        log.clear();
        wallMillis = 0;
    }

    void visit(ArchivePart part, RegionSlice slice, ArchiveOp op) {
        if (op instanceof ArchiveOp.Time time) {
            wallMillis = time.wallMillis();
        } else if (op instanceof ArchiveOp.Meta meta) {
            if (meta.reset()) {
                if (meta.meta().getRetiredGeneration() > 0) {
                    // It has been told to forget them, whether or not they were committed.
                    forgotten.addAll(log.values());
                }
                log.clear();
            } else {
                // The voter moves its snapshot only to an entry of its own log.
                prove(meta.meta().getSnapshot());
            }
        } else if (op instanceof ArchiveOp.Written written) {
            if (!written.moved()) {
                log.tailMap(written.index(), true).clear();
            }
            log.put(
                    written.index(),
                    new Copy(
                            part.object(),
                            written.index(),
                            written.term(),
                            written.kind(),
                            slice.dataOffset() + written.dataAt(),
                            written.dataLength(),
                            written.dataCrc(),
                            wallMillis));
            if (marks.covers(written.index(), written.term())) {
                proveThrough(written.index());
            }
        }
    }

    /**
     * What is in the log, or was when the node left the region, is not certainly committed and lies
     * behind an index.
     */
    Collection<Copy> open(long index) {
        List<Copy> open = new ArrayList<>(log.tailMap(index, false).values());
        forgotten.stream().filter(copy -> copy.index() > index).forEach(open::add);
        return open;
    }

    private void prove(Snapshot snapshot) {
        proveThrough(snapshot.getIndex());
    }

    private void proveThrough(long index) {
        NavigableMap<Long, Copy> committed = log.headMap(index, true);
        committed.values().forEach(proven::add);
        committed.clear();
    }
}
