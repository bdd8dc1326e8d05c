package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tidekv.compute.engine.Cf;
import io.tidekv.compute.engine.KvIterator;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.ChangedKeys;
import io.tidekv.compute.mvcc.ChangedKeys.Changed;
import io.tidekv.compute.mvcc.LockCodec;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.TxnTrace;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.compute.mvcc.WriteRecord;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The steps by which a shut region goes back to an older version: all locks are rolled back and the
 * first changed key is locked, as a transaction's primary; then every other key that has changed
 * since gets its old value again, in batches, and at last the first one. Each step can be repeated,
 * and goes on where an interrupted one ended. Source: tikv {@code
 * src/storage/txn/actions/flashback_to_version.rs}.
 */
public final class FlashbackCommands {
    private static final int KEYS_MAX = 256;
    private static final int LOOKS_MAX = 20_000;
    private static final long BATCH_BYTES = 256 << 10;

    private FlashbackCommands() {}

    /**
     * What is to be done.
     *
     * @param commitTs of the old values' new records; 0 while a region is prepared
     * @param version the region is to look as it did at this timestamp
     * @param lower first stored key
     * @param upper the stored key behind the last; empty: to the end of the region
     */
    public record Plan(
            long startTs, long commitTs, long version, ByteString lower, ByteString upper) {

        byte @Nullable [] end() {
            return upper.isEmpty() ? null : upper.toByteArray();
        }
    }

    /** How far a step came: the stored key to go on from, or empty when all is done. */
    public record Progress(ByteString next) {
        public static final Progress DONE = new Progress(ByteString.EMPTY);

        private static Progress at(byte @Nullable [] next) {
            return next == null ? DONE : new Progress(UnsafeByteOperations.unsafeWrap(next));
        }

        public boolean isDone() {
            return next.isEmpty();
        }
    }

    /** Rolls back locks of others from {@code from} on. */
    public static Outcome<Progress> rollBackLocks(Plan plan, ByteString from, KvSnapshot view) {
        MvccWriter writer = new MvccWriter();
        byte[] next = null;
        try (KvIterator locks = view.iterator(Cf.LOCK, from.toByteArray(), plan.end())) {
            int rolledBack = 0;
            for (locks.seekToFirst(); locks.isValid(); locks.next()) {
                if (rolledBack == KEYS_MAX || writer.batch().sizeBytes() > BATCH_BYTES) {
                    next = locks.key();
                    break;
                }
                LockRecord lock = LockCodec.decode(locks.value());
                if (lock.startTs() != plan.startTs) {
                    rollBack(TxnKey.ofEncoded(locks.key()), lock, view, writer);
                    rolledBack++;
                }
            }
        }
        return Outcome.of(Progress.at(next), writer);
    }

    private static void rollBack(TxnKey key, LockRecord lock, KvSnapshot view, MvccWriter writer) {
        try (TxnActions actions = new TxnActions(view, lock.startTs(), writer)) {
            actions.rollbackLock(key, lock, true);
        }
    }

    /** Locks the first key that has changed since the version; nothing when there is none. */
    public static Outcome<Progress> lockFirst(Plan plan, KvSnapshot view) {
        TxnKey first = firstChanged(plan, view);
        if (first == null) {
            return Outcome.of(Progress.DONE);
        }
        MvccWriter writer = new MvccWriter();
        try (MvccReader reader = new MvccReader(view)) {
            if (reader.lock(first) == null) {
                Version old = reader.visible(first, plan.version);
                ByteString shortValue =
                        old == null ? null : carry(plan, first, old, reader, writer);
                LockKind kind = old == null ? LockKind.DELETE : LockKind.PUT;
                writer.putLock(
                        first,
                        LockRecord.builder(kind, first.raw(), plan.startTs)
                                .shortValue(shortValue)
                                .build());
            }
        }
        return Outcome.of(Progress.DONE, writer);
    }

    /**
     * Writes old values again from {@code from} on; behind the last one commits the first key.
     *
     * @throws TxnException when the first key is neither locked nor committed by this flashback
     */
    public static Outcome<Progress> writeOld(
            Plan plan, TxnKey first, ByteString from, KvSnapshot view) {
        MvccWriter writer = new MvccWriter();
        try (MvccReader reader = new MvccReader(view)) {
            LockRecord lock = primaryLock(plan, first, reader);
            if (lock == null) {
                return Outcome.of(Progress.DONE);
            }
            byte[] next = writeOld(plan, from, first, reader, writer, view);
            if (next == null) {
                writer.putWrite(first, plan.commitTs, TxnActions.writeOf(lock));
                writer.deleteLock(first, lock, plan.commitTs);
            }
            return Outcome.of(Progress.at(next), writer);
        }
    }

    private static byte @Nullable [] writeOld(
            Plan plan,
            ByteString from,
            TxnKey first,
            MvccReader reader,
            MvccWriter writer,
            KvSnapshot view) {
        int written = 0;
        try (ChangedKeys keys = new ChangedKeys(view, from.toByteArray(), plan.end())) {
            for (int looks = 0; looks < LOOKS_MAX && written < KEYS_MAX; looks++) {
                Changed changed = keys.next();
                if (changed == null) {
                    return null;
                }
                if (!changed.key().equals(first)
                        && Ts.less(plan.version, changed.commitTs())
                        && Ts.less(changed.commitTs(), plan.commitTs)) {
                    writeOld(plan, changed.key(), reader, writer);
                    written++;
                }
                if (writer.batch().sizeBytes() > BATCH_BYTES) {
                    break;
                }
            }
            return keys.position();
        }
    }

    private static void writeOld(Plan plan, TxnKey key, MvccReader reader, MvccWriter writer) {
        Version old = reader.visible(key, plan.version);
        ByteString shortValue = old == null ? null : carry(plan, key, old, reader, writer);
        WriteKind kind = old == null ? WriteKind.DELETE : WriteKind.PUT;
        writer.putWrite(key, plan.commitTs, WriteRecord.of(kind, plan.startTs, shortValue));
    }

    /** The old value for a new record; a long one is written for it. */
    private static @Nullable ByteString carry(
            Plan plan, TxnKey key, Version old, MvccReader reader, MvccWriter writer) {
        ByteString shortValue = old.write().shortValue();
        if (shortValue == null) {
            writer.putValue(key, plan.startTs, reader.value(key, old.write()));
        }
        return shortValue;
    }

    /** This flashback's lock on its first key; null when that has been committed. */
    private static @Nullable LockRecord primaryLock(Plan plan, TxnKey first, MvccReader reader) {
        LockRecord lock = reader.lock(first);
        if (lock != null && lock.startTs() == plan.startTs) {
            return lock;
        }
        if (lock == null
                && reader.trace(first, plan.startTs) instanceof TxnTrace.Found found
                && found.version().commitTs() == plan.commitTs) {
            return null;
        }
        throw new TxnException(new TxnError.LockNotFound(plan.startTs, plan.commitTs, first.raw()));
    }

    /**
     * The first key that has changed since the version; null when none has. It stays the first
     * until the flashback is over: its newest change only goes up, and nobody else writes.
     */
    public static @Nullable TxnKey firstChanged(Plan plan, KvSnapshot view) {
        try (ChangedKeys keys = new ChangedKeys(view, plan.lower.toByteArray(), plan.end())) {
            Changed changed = keys.next();
            while (changed != null && !Ts.less(plan.version, changed.commitTs())) {
                changed = keys.next();
            }
            return changed == null ? null : changed.key();
        }
    }

    /** A plan for the part of a client's range that lies within stored bounds. */
    public static Plan plan(
            long startTs,
            long commitTs,
            long version,
            ByteString startKey,
            ByteString endKey,
            ByteString regionStart,
            ByteString regionEnd) {
        byte[] lower = regionStart.toByteArray();
        if (!startKey.isEmpty()) {
            byte[] start = TxnKey.of(startKey).encoded();
            lower = Arrays.compareUnsigned(start, lower) < 0 ? lower : start;
        }
        byte[] upper = regionEnd.isEmpty() ? null : regionEnd.toByteArray();
        if (!endKey.isEmpty()) {
            byte[] end = TxnKey.of(endKey).encoded();
            upper = upper == null || Arrays.compareUnsigned(end, upper) < 0 ? end : upper;
        }
        if (upper != null && Arrays.compareUnsigned(lower, upper) > 0) {
            upper = lower;
        }
        return new Plan(
                startTs,
                commitTs,
                version,
                UnsafeByteOperations.unsafeWrap(lower),
                upper == null ? ByteString.EMPTY : UnsafeByteOperations.unsafeWrap(upper));
    }
}
