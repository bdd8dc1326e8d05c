package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.common.Invariants;
import io.tidekv.common.codec.CodecException;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * Reads locks, commit records and values of single keys. Keeps one cursor, bounded by the key it
 * was last used for, so that no other key's data is touched. One thread at a time.
 */
public final class MvccReader implements AutoCloseable {
    /** Records to step over before a seek is cheaper. */
    static final int STEPS_BEFORE_SEEK = 8;

    private final KvSnapshot snapshot;
    private @Nullable WriteCursor cursor;
    private @Nullable TxnKey cursorKey;

    public MvccReader(KvSnapshot snapshot) {
        this.snapshot = snapshot;
    }

    public @Nullable LockRecord lock(TxnKey key) {
        byte[] value = snapshot.get(Cf.LOCK, key.encoded());
        return value == null ? null : LockCodec.decode(value);
    }

    /** The newest version at or below {@code ts}, of any kind. */
    public @Nullable Version newest(TxnKey key, long ts) {
        WriteCursor writes = cursorAt(key, ts);
        return writes.isOn(key) ? writes.version() : null;
    }

    /** The newest put or delete at or below {@code ts}; records of other kinds are passed over. */
    public @Nullable Version newestChange(TxnKey key, long ts) {
        return change(cursorAt(key, ts), key, ts);
    }

    /**
     * The newest put at or below {@code ts} that a reader at {@code ts} sees; null when there is
     * none or the key was deleted.
     */
    public @Nullable Version visible(TxnKey key, long ts) {
        Version version = newestChange(key, ts);
        return version == null || version.write().kind() == WriteKind.DELETE ? null : version;
    }

    /** What became of the transaction that started at {@code startTs}. */
    public TxnTrace trace(TxnKey key, long startTs) {
        // All versions from the newest down: a transaction that started earlier may have committed
        // later than others that started after it.
        WriteCursor writes = cursorAt(key, Ts.MAX);
        long fence = 0;
        for (; writes.isOn(key); writes.next()) {
            Version version = writes.version();
            if (version.write().startTs() == startTs) {
                return new TxnTrace.Found(version);
            }
            if (version.commitTs() == startTs) {
                return version.write().overlappedRollback()
                        ? new TxnTrace.OverlappedRollback()
                        : new TxnTrace.Missing(version, fence);
            }
            if (version.write().kind().changesData()) {
                fence = version.commitTs();
            }
            if (Ts.less(version.commitTs(), startTs)) {
                break;
            }
        }
        return new TxnTrace.Missing(null, 0);
    }

    /** The value of a put. */
    public ByteString value(TxnKey key, WriteRecord write) {
        return value(snapshot, key, write.startTs(), write.shortValue());
    }

    /** The value that a lock would put; null when it deletes. */
    public @Nullable ByteString value(TxnKey key, LockRecord lock) {
        return lockValue(snapshot, key, lock);
    }

    static @Nullable ByteString lockValue(KvSnapshot snapshot, TxnKey key, LockRecord lock) {
        return lock.kind() == LockKind.PUT
                ? value(snapshot, key, lock.startTs(), lock.shortValue())
                : null;
    }

    static ByteString value(
            KvSnapshot snapshot, TxnKey key, long startTs, @Nullable ByteString shortValue) {
        if (shortValue != null) {
            return shortValue;
        }
        byte[] value = snapshot.get(Cf.DEFAULT, key.at(startTs));
        if (value == null) {
            throw new CodecException("the value of a committed key is missing");
        }
        return UnsafeByteOperations.unsafeWrap(value);
    }

    /**
     * From a cursor at the newest version at or below {@code ts} on to the newest change; null when
     * there is none that counts at {@code ts}.
     */
    static @Nullable Version change(WriteCursor writes, TxnKey key, long ts) {
        int steps = 0;
        while (writes.isOn(key)) {
            Version version = writes.version();
            if (!version.write().isLatestAt(ts)) {
                return null;
            }
            if (version.write().kind().changesData()) {
                return version;
            }
            LastChange last = version.write().lastChange();
            if (last.isKnown() && !last.exists()) {
                return null;
            }
            if (last.exists() && last.versions() > STEPS_BEFORE_SEEK - steps) {
                writes.seek(key.at(last.ts()));
            } else {
                writes.next();
            }
            steps++;
        }
        return null;
    }

    private WriteCursor cursorAt(TxnKey key, long ts) {
        if (cursor == null || cursorKey == null || !key.equals(cursorKey)) {
            close();
            cursor = new WriteCursor(snapshot, key.at(Ts.MAX), key.end());
            cursorKey = key;
        }
        WriteCursor writes = Invariants.present(cursor, "cursor");
        writes.seek(key.at(ts));
        return writes;
    }

    @Override
    public void close() {
        if (cursor != null) {
            cursor.close();
            cursor = null;
        }
    }
}
