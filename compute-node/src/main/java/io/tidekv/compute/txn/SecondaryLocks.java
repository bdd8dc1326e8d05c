package io.tidekv.compute.txn;

import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksRequest;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksResponse;

/**
 * Asks what became of the secondary keys of an asynchronously committed transaction, and makes sure
 * that a key which is not prewritten never will be. Source: tikv {@code
 * src/storage/txn/commands/check_secondary_locks.rs}.
 */
public final class SecondaryLocks {
    private SecondaryLocks() {}

    /**
     * Answers all locks; or the commit timestamp when a key is committed; or neither when a key is
     * not locked: the transaction is then rolled back.
     */
    public static Outcome<CheckSecondaryLocksResponse> check(
            CheckSecondaryLocksRequest request,
            KeyBounds bounds,
            KvSnapshot snapshot,
            Concurrency concurrency) {
        // A protected rollback must not be overwritten by a commit at its timestamp.
        concurrency.raise(request.getStartVersion());
        CheckSecondaryLocksResponse.Builder response = CheckSecondaryLocksResponse.newBuilder();
        try (TxnActions txn = new TxnActions(snapshot, request.getStartVersion())) {
            for (TxnKey key : TxnKeys.distinct(request.getKeysList(), bounds)) {
                LockRecord lock = txn.reader.lock(key);
                LockRecord other = lock;
                if (lock != null && lock.startTs() == request.getStartVersion()) {
                    if (!lock.isPessimistic()) {
                        response.addLocks(KeyErrors.lockInfo(key.raw(), lock));
                        continue;
                    }
                    txn.writer.deleteLock(key, lock, 0);
                    other = null;
                }
                TxnStatus status = txn.secondaryMissing(key, other);
                response.clearLocks();
                if (status instanceof TxnStatus.Committed committed) {
                    response.setCommitTs(committed.commitTs());
                }
                break;
            }
            return Outcome.of(response.build(), txn.writer);
        } catch (TxnException e) {
            return Outcome.of(
                    CheckSecondaryLocksResponse.newBuilder()
                            .setError(KeyErrors.of(e.error()))
                            .build());
        }
    }
}
