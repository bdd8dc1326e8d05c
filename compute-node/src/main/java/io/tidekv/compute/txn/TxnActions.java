package io.tidekv.compute.txn;

import io.tidekv.compute.engine.KvSnapshot;
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
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Committing and rolling back single keys of one transaction. Source: tikv {@code
 * src/storage/txn/actions}. Throws {@link TxnException}; what was collected before is then void.
 */
final class TxnActions implements AutoCloseable {
    final MvccReader reader;
    final MvccWriter writer;
    private final long startTs;

    TxnActions(KvSnapshot snapshot, long startTs) {
        this(snapshot, startTs, new MvccWriter());
    }

    /** Adds to what {@code writer} holds already. */
    TxnActions(KvSnapshot snapshot, long startTs, MvccWriter writer) {
        reader = new MvccReader(snapshot);
        this.startTs = startTs;
        this.writer = writer;
    }

    /** What to do about a transaction of which nothing is found at a key. */
    enum WhenMissing {
        FAIL,
        ROLL_BACK,
        /** As {@link #ROLL_BACK}, with a record that later rollbacks do not collapse. */
        ROLL_BACK_PROTECTED
    }

    /** Turns the lock into a commit record; nothing to do when that has been done before. */
    void commit(TxnKey key, long commitTs) {
        LockRecord lock = reader.lock(key);
        if (lock == null || lock.startTs() != startTs) {
            if (reader.trace(key, startTs) instanceof TxnTrace.Found found && !found.isRollback()) {
                return;
            }
            throw new TxnException(new TxnError.LockNotFound(startTs, commitTs, key.raw()));
        }
        if (Ts.less(commitTs, lock.minCommitTs())) {
            throw new TxnException(
                    new TxnError.CommitTsExpired(startTs, commitTs, key.raw(), lock.minCommitTs()));
        }
        // A pessimistic lock that was never prewritten stands for no change.
        if (!lock.isPessimistic()) {
            WriteRecord write = writeOf(lock);
            boolean overRollback = lock.rollbackTs().contains(commitTs);
            writer.putWrite(
                    key, commitTs, overRollback ? write.withOverlappedRollback(null) : write);
        }
        writer.deleteLock(key, lock, lock.isPessimistic() ? 0 : commitTs);
    }

    /**
     * Makes sure that the transaction never commits the key.
     *
     * @param currentTs when not 0, a lock that has not expired by then is left and reported
     * @param protect the rollback must not be collapsed
     */
    void cleanup(TxnKey key, long currentTs, boolean protect) {
        LockRecord lock = reader.lock(key);
        if (lock != null && lock.startTs() == startTs) {
            long expiry = Ts.expiry(lock.startTs(), lock.ttlMs());
            if (currentTs != 0 && Ts.atMost(Ts.physical(currentTs), expiry)) {
                throw new TxnException(new TxnError.Locked(key.raw(), lock));
            }
            refuseCommitted(key, rollbackLock(key, lock, !protect));
            return;
        }
        WhenMissing then = protect ? WhenMissing.ROLL_BACK_PROTECTED : WhenMissing.ROLL_BACK;
        refuseCommitted(key, missing(key, lock, then, false));
    }

    /**
     * Removes the transaction's own lock and records the rollback. When a client has locked the key
     * again after its own commit, the commit stands and the lock goes.
     */
    TxnStatus rollbackLock(TxnKey key, LockRecord lock, boolean collapse) {
        TxnTrace trace = reader.trace(key, startTs);
        writer.deleteLock(key, lock, 0);
        if (trace instanceof TxnTrace.Found found && !found.isRollback()) {
            return new TxnStatus.Committed(found.version().commitTs());
        }
        if (trace instanceof TxnTrace.Missing missing) {
            if (lock.shortValue() == null && lock.kind() == LockKind.PUT) {
                writer.deleteValue(key, startTs);
            }
            boolean primary = lock.primary().equals(key.raw());
            putRollback(key, missing, primary);
            if (collapse) {
                collapsePrevious(key);
            }
        }
        return new TxnStatus.RolledBack();
    }

    /**
     * Finds out about, and perhaps rolls back, a transaction that has no lock on the key.
     *
     * @param other lock of another transaction on the key
     */
    TxnStatus missing(
            TxnKey key,
            @Nullable LockRecord other,
            WhenMissing then,
            boolean resolvingPessimistic) {
        TxnTrace trace = reader.trace(key, startTs);
        if (trace instanceof TxnTrace.Found found) {
            return found.isRollback()
                    ? new TxnStatus.RolledBack()
                    : new TxnStatus.Committed(found.version().commitTs());
        }
        if (!(trace instanceof TxnTrace.Missing missing)) {
            return new TxnStatus.RolledBack();
        }
        if (then == WhenMissing.FAIL) {
            throw new TxnException(new TxnError.TxnNotFound(startTs, key.raw()));
        }
        if (resolvingPessimistic) {
            return new TxnStatus.MissingIgnored();
        }
        boolean protect = then == WhenMissing.ROLL_BACK_PROTECTED;
        if (!protect) {
            collapsePrevious(key);
        }
        if (other != null && missing.overlapped() == null && protect) {
            noteInLock(key, other);
        }
        putRollback(key, missing, protect);
        return new TxnStatus.MissingRollback();
    }

    /** As {@link #missing}, with a protected rollback that takes the place of an older one. */
    TxnStatus secondaryMissing(TxnKey key, @Nullable LockRecord other) {
        TxnStatus status = missing(key, other, WhenMissing.ROLL_BACK_PROTECTED, false);
        if (status instanceof TxnStatus.MissingRollback) {
            collapsePrevious(key);
        }
        return status;
    }

    private void refuseCommitted(TxnKey key, TxnStatus status) {
        if (status instanceof TxnStatus.Committed committed) {
            throw new TxnException(
                    new TxnError.Committed(startTs, committed.commitTs(), key.raw()));
        }
    }

    private void putRollback(TxnKey key, TxnTrace.Missing missing, boolean protect) {
        Version overlapped = missing.overlapped();
        if (overlapped == null) {
            writer.putWrite(key, startTs, WriteRecord.rollback(startTs, protect));
        } else if (protect) {
            writer.putWrite(
                    key,
                    overlapped.commitTs(),
                    overlapped.write().withOverlappedRollback(missing.gcFence()));
        }
    }

    /** Rollback records that nobody relies on would pile up: only the newest is kept. */
    private void collapsePrevious(TxnKey key) {
        Version below = reader.newest(key, startTs);
        if (below != null
                && below.write().kind() == WriteKind.ROLLBACK
                && !below.write().isProtectedRollback()) {
            writer.deleteWrite(key, below.commitTs());
        }
    }

    /**
     * The commit timestamp of an asynchronously committed transaction may still turn out to be this
     * rollback's: its lock must then remember it.
     */
    private void noteInLock(TxnKey key, LockRecord other) {
        if (other.useAsyncCommit() && !Ts.less(startTs, other.minCommitTs())) {
            List<Long> rollbacks = new ArrayList<>(other.rollbackTs());
            rollbacks.add(startTs);
            writer.putLock(key, other.toBuilder().rollbackTs(rollbacks).build());
        }
    }

    /** What a lock becomes when it is committed. */
    static WriteRecord writeOf(LockRecord lock) {
        return WriteRecord.of(commitKind(lock.kind()), lock.startTs(), lock.shortValue())
                .withLastChange(lock.lastChange())
                .withTxnSource(lock.txnSource());
    }

    private static WriteKind commitKind(LockKind kind) {
        return switch (kind) {
            case PUT -> WriteKind.PUT;
            case DELETE -> WriteKind.DELETE;
            case LOCK, PESSIMISTIC -> WriteKind.LOCK;
        };
    }

    @Override
    public void close() {
        reader.close();
    }
}
