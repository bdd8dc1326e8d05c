package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.BatchWalk;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.region.Entry;
import java.util.List;

/**
 * Joins write batches of consecutive log entries and the mark of the last one into one serialised
 * batch of RocksDB, so that the mark is applied exactly when the entries are. Pure.
 */
final class EntryBatch {
    private static final int HEADER = 12;
    private static final int COUNT_AT = 8;
    private static final byte CF_VALUE = 0x5;

    private final byte[] bytes;
    private final long newestCommitTs;

    private EntryBatch(byte[] bytes, long newestCommitTs) {
        this.bytes = bytes;
        this.newestCommitTs = newestCommitTs;
    }

    /** The batch of the entries, all of them WRITEs, with the mark of the last. */
    static EntryBatch join(List<Entry> entries) {
        Entry last = entries.get(entries.size() - 1);
        long size = HEADER;
        size += markSize();
        for (Entry entry : entries) {
            size += Math.max(0, entry.getData().size() - HEADER);
        }
        Invariants.check(size <= Integer.MAX_VALUE - 8, "joined entries are too long");
        byte[] joined = new byte[(int) size];
        int at = HEADER;
        int operations = 1;
        long newest = 0;
        for (Entry entry : entries) {
            ByteString data = entry.getData();
            int length = data.size() - HEADER;
            Invariants.check(length >= 0, "entry %s holds no write batch", entry.getIndex());
            data.substring(HEADER).copyTo(joined, at);
            int count = count(data);
            BatchWalk walk = BatchWalk.over(joined, at, at + length);
            Invariants.check(
                    walk.operations() == count,
                    "entry %s holds no sound write batch",
                    entry.getIndex());
            newest = Ts.max(newest, walk.newestCommitTs());
            operations += count;
            at += length;
        }
        mark(joined, at, new AppliedMark(last.getIndex(), last.getTerm()));
        for (int i = 0; i < 4; i++) {
            joined[COUNT_AT + i] = (byte) (operations >>> (8 * i));
        }
        return new EntryBatch(joined, newest);
    }

    byte[] bytes() {
        return bytes;
    }

    /** Of the commit records in it; 0 when there is none. */
    long newestCommitTs() {
        return newestCommitTs;
    }

    private static int markSize() {
        return 2 + 1 + Cells.MARK.length + 1 + Cells.MARK_BYTES;
    }

    private static void mark(byte[] into, int from, AppliedMark mark) {
        int at = from;
        into[at++] = CF_VALUE;
        into[at++] = RecordFiles.META;
        into[at++] = (byte) Cells.MARK.length;
        System.arraycopy(Cells.MARK, 0, into, at, Cells.MARK.length);
        at += Cells.MARK.length;
        into[at++] = Cells.MARK_BYTES;
        System.arraycopy(Cells.encode(mark), 0, into, at, Cells.MARK_BYTES);
    }

    private static int count(ByteString batch) {
        int count = 0;
        for (int i = 0; i < 4; i++) {
            count |= (batch.byteAt(COUNT_AT + i) & 0xFF) << (8 * i);
        }
        return count;
    }
}
