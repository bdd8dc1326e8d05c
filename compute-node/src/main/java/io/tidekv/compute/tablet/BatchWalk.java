package io.tidekv.compute.tablet;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.Ts;

/**
 * What a pass over the operations of a serialised RocksDB write batch has seen.
 *
 * @param operations how many there are; -1 when there is anything but whole puts, deletes and range
 *     deletes in the user's column families. RocksDB would apply the part before the damage.
 * @param newestCommitTs of the rows that are put into column family {@code write}; 0 when there is
 *     none
 */
public record BatchWalk(int operations, long newestCommitTs) {
    private static final int HEADER = 12;
    private static final byte VALUE = 0x1;
    private static final byte CF_DELETION = 0x4;
    private static final byte CF_VALUE = 0x5;
    private static final byte CF_RANGE_DELETION = 0xE;
    private static final byte RANGE_DELETION = 0xF;
    private static final BatchWalk UNSOUND = new BatchWalk(-1, 0);

    /** A pass over a whole batch. */
    public static BatchWalk over(ByteString batch) {
        return over(batch.toByteArray(), HEADER, batch.size());
    }

    /** A pass over operations that lie in {@code [from, to)}, behind or without a header. */
    public static BatchWalk over(byte[] batch, int from, int to) {
        Cursor cursor = new Cursor(batch, from, to);
        int count = 0;
        long newest = 0;
        while (cursor.at < to) {
            byte tag = batch[cursor.at++];
            boolean named = tag == CF_VALUE || tag == CF_DELETION || tag == CF_RANGE_DELETION;
            if (tag < 0 || tag > RANGE_DELETION || (!named && !isPlain(tag))) {
                return UNSOUND;
            }
            int family = named ? cursor.number() : 0;
            boolean pair = tag != CF_DELETION && tag != 0;
            if (family < 0 || family >= Cf.values().length || !cursor.skip()) {
                return UNSOUND;
            }
            if (tag == CF_VALUE && family == Cf.WRITE.id() && cursor.skipped >= Long.BYTES) {
                newest = Ts.max(newest, Ints.getDesc(batch, cursor.at - Long.BYTES));
            }
            if (pair && !cursor.skip()) {
                return UNSOUND;
            }
            count++;
        }
        return new BatchWalk(count, newest);
    }

    private static boolean isPlain(byte tag) {
        return tag == 0 || tag == VALUE || tag == RANGE_DELETION;
    }

    private static final class Cursor {
        private final byte[] bytes;
        private final int end;
        private int at;
        private int skipped;

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
            skipped = number();
            if (skipped < 0 || skipped > end - at) {
                return false;
            }
            at += skipped;
            return true;
        }
    }
}
