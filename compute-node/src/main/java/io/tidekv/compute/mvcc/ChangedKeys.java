package io.tidekv.compute.mvcc;

import io.tidekv.compute.engine.KvSnapshot;
import org.jspecify.annotations.Nullable;

/** Walks the keys of a range that have a put or delete, in order. One thread at a time. */
public final class ChangedKeys implements AutoCloseable {
    /** A key and the commit timestamp of its newest put or delete. */
    public record Changed(TxnKey key, long commitTs) {}

    private final WriteCursor writes;
    private boolean started;
    private @Nullable TxnKey last;

    /** Bounds are stored keys; no upper one: to the end of the snapshot. */
    public ChangedKeys(KvSnapshot snapshot, byte[] lower, byte @Nullable [] upper) {
        writes = new WriteCursor(snapshot, lower, upper);
    }

    /** Where to go on, with other bounds, behind what {@link #next} has returned; null: done. */
    public byte @Nullable [] position() {
        skip();
        return writes.isValid() ? writes.userKey().encoded() : null;
    }

    /** The next key, or null behind the last. */
    public @Nullable Changed next() {
        skip();
        while (writes.isValid()) {
            TxnKey key = writes.userKey();
            last = key;
            Version newest = MvccReader.change(writes, key, Ts.MAX);
            if (newest != null) {
                return new Changed(key, newest.commitTs());
            }
            skip();
        }
        return null;
    }

    /** Leaves the versions of the last key behind. */
    private void skip() {
        if (!started) {
            writes.seekToFirst();
            started = true;
        }
        TxnKey key = last;
        for (int steps = 0; key != null && writes.isOn(key); steps++) {
            if (steps < MvccReader.STEPS_BEFORE_SEEK) {
                writes.next();
            } else {
                writes.seek(key.end());
            }
        }
        last = null;
    }

    @Override
    public void close() {
        writes.close();
    }
}
