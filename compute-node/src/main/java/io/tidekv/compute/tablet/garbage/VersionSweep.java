package io.tidekv.compute.tablet.garbage;

import io.tidekv.common.codec.CodecException;
import io.tidekv.common.codec.Ints;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.WriteCodec;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One pass over column family {@code write} in the order of its keys: each user key's versions,
 * newest first. Of the versions at or below the safe point only the newest value stays. A deletion
 * goes after the versions that it hides, so that whatever part of the deletions has been applied,
 * no reader at or above the safe point sees a difference. Rules: TiKV's compaction filter ({@code
 * src/server/gc_worker/compaction_filter.rs}).
 */
public final class VersionSweep implements Sweep {
    private final long safePoint;
    private byte[] key = {};
    private boolean covered;
    private boolean newerAbove;
    private byte @Nullable [] deletion;
    private long dropped;
    private long later;

    public VersionSweep(long safePoint) {
        this.safePoint = safePoint;
    }

    @Override
    public Cf cf() {
        return Cf.WRITE;
    }

    @Override
    public void row(byte[] stored, byte[] record, Deletions out) {
        if (stored.length < Long.BYTES) {
            throw new CodecException("a versioned key is shorter than its version");
        }
        int length = stored.length - Long.BYTES;
        if (!Arrays.equals(stored, 0, length, key, 0, key.length)) {
            finish(out);
            key = Arrays.copyOf(stored, length);
            covered = false;
            newerAbove = false;
        }
        WriteRecord write = WriteCodec.decode(record);
        if (!Ts.atMost(Ints.lastDesc(stored), safePoint)) {
            // Becomes garbage when the safe point has passed it.
            later += newerAbove || write.kind() != WriteKind.PUT ? 1 : 0;
            newerAbove = true;
        } else if (covered || !write.kind().changesData() || !write.isLatestAt(safePoint)) {
            drop(stored, write, out);
        } else {
            covered = true;
            if (write.kind() == WriteKind.DELETE) {
                deletion = stored.clone();
            } else if (newerAbove) {
                later++;
            }
        }
    }

    @Override
    public void finish(Deletions out) {
        if (deletion != null) {
            out.delete(Cf.WRITE, deletion);
            dropped++;
            deletion = null;
        }
    }

    private void drop(byte[] stored, WriteRecord write, Deletions out) {
        out.delete(Cf.WRITE, stored);
        dropped++;
        if (write.kind() == WriteKind.PUT && write.shortValue() == null) {
            out.delete(Cf.DEFAULT, Ints.withDesc(key, write.startTs()));
        }
    }

    @Override
    public long dropped() {
        return dropped;
    }

    @Override
    public long later() {
        return later;
    }
}
