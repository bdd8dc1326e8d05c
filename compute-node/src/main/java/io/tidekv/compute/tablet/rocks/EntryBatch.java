package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.ByteString;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.AppliedMark;
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
    private static final byte VALUE = 0x1;
    private static final byte CF_DELETION = 0x4;
    private static final byte CF_VALUE = 0x5;
    private static final byte CF_RANGE_DELETION = 0xE;
    private static final byte RANGE_DELETION = 0xF;

    private EntryBatch() {}

    /** The batch of the entries, all of them WRITEs, with the mark of the last. */
    static byte[] join(List<Entry> entries) {
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
        for (Entry entry : entries) {
            ByteString data = entry.getData();
            int length = data.size() - HEADER;
            Invariants.check(length >= 0, "entry %s holds no write batch", entry.getIndex());
            data.substring(HEADER).copyTo(joined, at);
            int count = count(data);
            Invariants.check(
                    operations(joined, at, at + length) == count,
                    "entry %s holds no sound write batch",
                    entry.getIndex());
            operations += count;
            at += length;
        }
        mark(joined, at, new AppliedMark(last.getIndex(), last.getTerm()));
        for (int i = 0; i < 4; i++) {
            joined[COUNT_AT + i] = (byte) (operations >>> (8 * i));
        }
        return joined;
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

    /**
     * How many operations there are; -1 when there is anything but whole puts, deletes and range
     * deletes in the user's column families. RocksDB would apply the part before the damage.
     */
    static int operations(byte[] batch, int from, int to) {
        Cursor cursor = new Cursor(batch, from, to);
        int count = 0;
        while (cursor.at < to) {
            byte tag = batch[cursor.at++];
            boolean named = tag == CF_VALUE || tag == CF_DELETION || tag == CF_RANGE_DELETION;
            if (tag < 0 || tag > RANGE_DELETION || (!named && !isPlain(tag))) {
                return -1;
            }
            int family = named ? cursor.number() : 0;
            boolean pair = tag != CF_DELETION && tag != 0;
            if (family < 0
                    || family >= RecordFiles.META
                    || !cursor.skip()
                    || (pair && !cursor.skip())) {
                return -1;
            }
            count++;
        }
        return count;
    }

    private static boolean isPlain(byte tag) {
        return tag == 0 || tag == VALUE || tag == RANGE_DELETION;
    }

    private static final class Cursor {
        private final byte[] bytes;
        private final int end;
        private int at;

        Cursor(byte[] bytes, int at, int end) {
            this.bytes = bytes;
            this.at = at;
            this.end = end;
        }

        /** A varint below 2^31, or -1. */
        int number() {
            long value = 0;
            for (int shift = 0; shift < 35 && at < end; shift += 7) {
                byte next = bytes[at++];
                value |= (long) (next & 0x7F) << shift;
                if (next >= 0) {
                    return value > Integer.MAX_VALUE ? -1 : (int) value;
                }
            }
            return -1;
        }

        boolean skip() {
            int length = number();
            if (length < 0 || length > end - at) {
                return false;
            }
            at += length;
            return true;
        }
    }
}
