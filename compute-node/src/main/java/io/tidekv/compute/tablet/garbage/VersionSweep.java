package io.tidekv.compute.tablet.garbage;

import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;

/**
 * One pass over column family {@code write}: of the versions at or below the safe point only the
 * newest value stays, and no reader at or above the safe point sees a difference. Rules: TiKV's
 * compaction filter ({@code src/server/gc_worker/compaction_filter.rs}).
 */
public final class VersionSweep extends VersionedSweep<WriteRecord> {
    private final long safePoint;
    private long later;

    public VersionSweep(long safePoint) {
        super(safePoint);
        this.safePoint = safePoint;
    }

    @Override
    public Cf cf() {
        return Cf.WRITE;
    }

    @Override
    WriteRecord decode(byte[] value) {
        return WriteCodec.decode(value);
    }

    @Override
    boolean hasValue(WriteRecord write) {
        return write.kind() == WriteKind.PUT;
    }

    @Override
    boolean saysNothing(WriteRecord write) {
        return !write.kind().changesData() || !write.isLatestAt(safePoint);
    }

    @Override
    void comesLater() {
        later++;
    }

    @Override
    void drop(byte[] key, byte[] stored, WriteRecord write, Deletions out) {
        out.delete(Cf.WRITE, stored);
        if (write.kind() == WriteKind.PUT && write.shortValue() == null) {
            out.delete(Cf.DEFAULT, Ints.withDesc(key, write.startTs()));
        }
    }

    @Override
    public long later() {
        return later;
    }
}
