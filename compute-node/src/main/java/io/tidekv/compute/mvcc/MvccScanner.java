package io.tidekv.compute.mvcc;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.ReadPolicy.Isolation;
import org.jspecify.annotations.Nullable;

/**
 * Walks the keys of a range that a reader sees, upwards or downwards. A key that cannot be read
 * comes as an entry with its error, and the scan goes on behind it. One thread at a time.
 */
public final class MvccScanner implements AutoCloseable {
    private final KvSnapshot snapshot;
    private final ReadPolicy policy;
    private final boolean keyOnly;
    private final boolean reverse;
    private final WriteCursor writes;
    private final @Nullable KvIterator locks;

    /**
     * @param lower first key as stored, without timestamp; null for the region's start
     * @param upper bound as stored, exclusive; null for the region's end
     */
    public MvccScanner(
            KvSnapshot snapshot,
            ReadPolicy policy,
            byte @Nullable [] lower,
            byte @Nullable [] upper,
            boolean keyOnly,
            boolean reverse) {
        this.snapshot = snapshot;
        this.policy = policy;
        this.keyOnly = keyOnly;
        this.reverse = reverse;
        writes = new WriteCursor(snapshot, lower, upper);
        locks = policy.seesLocks() ? snapshot.iterator(Cf.LOCK, lower, upper) : null;
        if (reverse) {
            writes.seekToLast();
        } else {
            writes.seekToFirst();
        }
        if (locks != null && reverse) {
            locks.seekToLast();
        } else if (locks != null) {
            locks.seekToFirst();
        }
    }

    /** The next entry, or null at the end. */
    public @Nullable ScanEntry next() {
        while (true) {
            TxnKey writeKey = writes.isValid() ? writes.userKey() : null;
            TxnKey lockKey =
                    locks != null && locks.isValid() ? TxnKey.ofEncoded(locks.key()) : null;
            TxnKey key = first(writeKey, lockKey);
            if (key == null) {
                return null;
            }
            ScanEntry entry = entry(key, isSame(key, lockKey), isSame(key, writeKey));
            if (entry != null) {
                return entry;
            }
        }
    }

    private static boolean isSame(TxnKey key, @Nullable TxnKey other) {
        return other != null && key.equals(other);
    }

    private @Nullable TxnKey first(@Nullable TxnKey left, @Nullable TxnKey right) {
        if (left == null || right == null) {
            return left == null ? right : left;
        }
        int order = left.compareTo(right);
        return (reverse ? -order : order) <= 0 ? left : right;
    }

    /** Reads a key and moves both cursors behind it. */
    private @Nullable ScanEntry entry(TxnKey key, boolean locked, boolean written) {
        @Nullable ByteString value;
        try {
            LockRecord lock = locked ? takeLock() : null;
            if (lock != null && policy.readsThrough(key.raw(), lock)) {
                boolean empty = keyOnly && lock.kind() == LockKind.PUT;
                value = empty ? ByteString.EMPTY : MvccReader.lockValue(snapshot, key, lock);
            } else {
                value = written ? read(key) : null;
            }
        } catch (TxnException e) {
            pass(key);
            return new ScanEntry(key, ByteString.EMPTY, e.error());
        }
        pass(key);
        return value == null ? null : new ScanEntry(key, value, null);
    }

    private @Nullable LockRecord takeLock() {
        if (locks == null) {
            return null;
        }
        LockRecord lock = LockCodec.decode(locks.value());
        if (reverse) {
            locks.prev();
        } else {
            locks.next();
        }
        return lock;
    }

    private @Nullable ByteString read(TxnKey key) {
        Version version = reverse ? versionFromBelow(key) : versionFromAbove(key);
        if (version == null || version.write().kind() == WriteKind.DELETE) {
            return null;
        }
        WriteRecord write = version.write();
        return keyOnly
                ? ByteString.EMPTY
                : MvccReader.value(snapshot, key, write.startTs(), write.shortValue());
    }

    /** With the cursor on the key's newest version. */
    private @Nullable Version versionFromAbove(TxnKey key) {
        long ts = policy.ts();
        if (policy.isolation() == Isolation.CHECK_TS && Ts.less(ts, writes.commitTs())) {
            throw new TxnException(PointReader.newer(policy, key, writes.commitTs()));
        }
        for (int i = 0; writes.isOn(key) && Ts.less(ts, writes.commitTs()); i++) {
            if (i == MvccReader.STEPS_BEFORE_SEEK) {
                writes.seek(key.at(ts));
            } else {
                writes.next();
            }
        }
        return MvccReader.change(writes, key, ts);
    }

    /** With the cursor on the key's oldest version; newer records take the place of older ones. */
    private @Nullable Version versionFromBelow(TxnKey key) {
        if (policy.isolation() == Isolation.CHECK_TS) {
            writes.seek(key.at(Ts.MAX));
            return versionFromAbove(key);
        }
        long ts = policy.ts();
        @Nullable Version seen = null;
        for (int i = 0; writes.isOn(key) && Ts.atMost(writes.commitTs(), ts); i++) {
            if (i == MvccReader.STEPS_BEFORE_SEEK) {
                writes.seek(key.at(ts));
                return MvccReader.change(writes, key, ts);
            }
            Version version = writes.version();
            if (!version.write().isLatestAt(ts)) {
                seen = null;
            } else if (version.write().kind().changesData()) {
                seen = version;
            }
            writes.prev();
        }
        return seen;
    }

    /** Moves the cursor of commit records behind all versions of the key. */
    private void pass(TxnKey key) {
        if (reverse) {
            // The cursor may stand on the key, on an earlier one, or have run off the front.
            for (int i = 0; writes.isOn(key) && i < MvccReader.STEPS_BEFORE_SEEK; i++) {
                writes.prev();
            }
            if (!writes.isValid() || writes.isOn(key) || isAbove(key)) {
                writes.seekForPrev(key.encoded());
            }
        } else {
            for (int i = 0; writes.isOn(key) && i < MvccReader.STEPS_BEFORE_SEEK; i++) {
                writes.next();
            }
            if (writes.isOn(key)) {
                writes.seek(key.end());
            }
        }
    }

    private boolean isAbove(TxnKey key) {
        return writes.isValid() && writes.userKey().compareTo(key) > 0;
    }

    @Override
    public void close() {
        writes.close();
        if (locks != null) {
            locks.close();
        }
    }
}
