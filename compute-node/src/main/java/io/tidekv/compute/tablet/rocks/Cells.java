package io.tidekv.compute.tablet.rocks;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidekv.common.Invariants;
import io.tidekv.compute.tablet.AppliedMark;
import io.tidekv.compute.tablet.RegionState;
import io.tidekv.compute.tablet.manifest.RecordFiles;
import io.tidekv.proto.manifest.TabletRecord;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * The meta column family: the mark of the last applied entry, written in one batch with the entry,
 * the region's state, and how many batches of deletions have been applied beside the log since the
 * tablet was opened. All are absent until the first write after opening; then the record's are in
 * force.
 */
final class Cells {
    static final byte[] MARK = "applied".getBytes(StandardCharsets.US_ASCII);
    static final byte[] STATE = "state".getBytes(StandardCharsets.US_ASCII);

    static final byte[] AMENDMENTS = "amendments".getBytes(StandardCharsets.US_ASCII);

    /** Length of an encoded mark. */
    static final int MARK_BYTES = 16;

    private final Instance instance;
    private final AppliedMark mark;
    private final RegionState state;

    /** All as of one moment. */
    record Values(AppliedMark mark, RegionState state, long amendments) {
        /** Whether everything is in it up to an entry and a batch of deletions. */
        boolean covers(long index, long batches) {
            return mark.index() >= index && amendments >= batches;
        }
    }

    /**
     * @param mark what the tablet was opened at
     */
    Cells(Instance instance, AppliedMark mark, RegionState state) {
        this.instance = instance;
        this.mark = mark;
        this.state = state;
    }

    /** What the table files hold, memtables left out. */
    Values persisted() throws RocksDBException {
        byte[] markCell = get(MARK);
        byte[] stateCell = get(STATE);
        byte[] amendments = get(AMENDMENTS);
        return new Values(
                markCell == null ? mark : mark(markCell),
                stateCell == null ? state : state(stateCell),
                amendments == null ? 0 : ByteBuffer.wrap(amendments).getLong());
    }

    private byte @Nullable [] get(byte[] cell) throws RocksDBException {
        return instance.db()
                .get(instance.family(RecordFiles.META), instance.shared().persisted(), cell);
    }

    static byte[] encode(AppliedMark mark) {
        return ByteBuffer.allocate(MARK_BYTES).putLong(mark.index()).putLong(mark.term()).array();
    }

    static byte[] encode(RegionState state) {
        return TabletRecord.newBuilder()
                .setShape(state.shape())
                .addAllPendingChildren(state.pendingChildren())
                .setFlashbackStartTs(state.flashbackStartTs())
                .addAllUnreportedMerges(state.merges())
                .build()
                .toByteArray();
    }

    static byte[] encode(long amendments) {
        return ByteBuffer.allocate(Long.BYTES).putLong(amendments).array();
    }

    private static AppliedMark mark(byte[] cell) {
        Invariants.check(cell.length == MARK_BYTES, "the applied mark is no mark");
        ByteBuffer bytes = ByteBuffer.wrap(cell);
        return new AppliedMark(bytes.getLong(), bytes.getLong());
    }

    private static RegionState state(byte[] cell) {
        try {
            return RegionState.of(TabletRecord.parseFrom(cell));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the state cell is no record", e);
        }
    }
}
