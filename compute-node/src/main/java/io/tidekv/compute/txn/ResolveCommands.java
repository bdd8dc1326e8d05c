package io.tidekv.compute.txn;

import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.BatchRollbackResponse;
import io.tidekv.proto.kvrpcpb.CleanupRequest;
import io.tidekv.proto.kvrpcpb.CleanupResponse;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Second phase of a transaction, by its own client or by others: each all or nothing. */
public final class ResolveCommands {
    private ResolveCommands() {}

    public static Outcome<CommitResponse> commit(
            CommitRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        long commitTs = request.getCommitVersion();
        try (TxnActions txn = new TxnActions(snapshot, request.getStartVersion())) {
            checkOrder(request.getStartVersion(), commitTs);
            for (TxnKey key : TxnKeys.distinct(request.getKeysList(), bounds)) {
                txn.commit(key, commitTs);
            }
            return Outcome.of(
                    CommitResponse.newBuilder().setCommitVersion(commitTs).build(), txn.writer);
        } catch (TxnException e) {
            return Outcome.of(
                    CommitResponse.newBuilder().setError(KeyErrors.of(e.error())).build());
        }
    }

    public static Outcome<BatchRollbackResponse> batchRollback(
            BatchRollbackRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        try (TxnActions txn = new TxnActions(snapshot, request.getStartVersion())) {
            for (TxnKey key : TxnKeys.distinct(request.getKeysList(), bounds)) {
                txn.cleanup(key, 0, false);
            }
            return Outcome.of(BatchRollbackResponse.getDefaultInstance(), txn.writer);
        } catch (TxnException e) {
            return Outcome.of(
                    BatchRollbackResponse.newBuilder().setError(KeyErrors.of(e.error())).build());
        }
    }

    public static Outcome<CleanupResponse> cleanup(
            CleanupRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        CleanupResponse.Builder response = CleanupResponse.newBuilder();
        try (TxnActions txn = new TxnActions(snapshot, request.getStartVersion())) {
            txn.cleanup(TxnKeys.checked(request.getKey(), bounds), request.getCurrentTs(), true);
            return Outcome.of(response.build(), txn.writer);
        } catch (TxnException e) {
            if (e.error() instanceof TxnError.Committed committed) {
                response.setCommitVersion(committed.commitTs());
            } else {
                response.setError(KeyErrors.of(e.error()));
            }
            return Outcome.of(response.build());
        }
    }

    /** Resolves the keys that the request names. */
    public static Outcome<ResolveLockResponse> resolveKeys(
            ResolveLockRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        long commitTs = request.getCommitVersion();
        try (TxnActions txn = new TxnActions(snapshot, request.getStartVersion())) {
            for (TxnKey key : TxnKeys.distinct(request.getKeysList(), bounds)) {
                if (commitTs == 0) {
                    txn.cleanup(key, 0, false);
                } else {
                    txn.commit(key, commitTs);
                }
            }
            return Outcome.of(ResolveLockResponse.getDefaultInstance(), txn.writer);
        } catch (TxnException e) {
            return Outcome.of(
                    ResolveLockResponse.newBuilder().setError(KeyErrors.of(e.error())).build());
        }
    }

    /**
     * Resolves locks found by a scan, each as its transaction fared; those that have gone since are
     * passed over.
     *
     * @param commitTs by start timestamp; 0 rolls back
     */
    public static Outcome<ResolveLockResponse> resolveFound(
            List<TxnKey> keys, Map<Long, Long> commitTs, KvSnapshot snapshot) {
        MvccWriter all = new MvccWriter();
        try (MvccReader reader = new MvccReader(snapshot)) {
            for (TxnKey key : keys) {
                LockRecord lock = reader.lock(key);
                Long status = lock == null ? null : commitTs.get(lock.startTs());
                if (lock == null || status == null) {
                    continue;
                }
                try (TxnActions txn = new TxnActions(snapshot, lock.startTs(), all)) {
                    if (status == 0) {
                        txn.cleanup(key, 0, false);
                    } else {
                        checkOrder(lock.startTs(), status);
                        txn.commit(key, status);
                    }
                }
            }
            return Outcome.of(ResolveLockResponse.getDefaultInstance(), all);
        } catch (TxnException e) {
            return Outcome.of(
                    ResolveLockResponse.newBuilder().setError(KeyErrors.of(e.error())).build());
        }
    }

    /** True for the form that names keys. */
    public static boolean namesKeys(ResolveLockRequest request) {
        return request.getKeysCount() > 0;
    }

    /** The transactions that a request without keys resolves, with their commit timestamps. */
    public static Map<Long, Long> transactions(ResolveLockRequest request) {
        if (request.getTxnInfosCount() == 0) {
            return Map.of(request.getStartVersion(), request.getCommitVersion());
        }
        Map<Long, Long> statuses = new LinkedHashMap<>();
        request.getTxnInfosList().forEach(info -> statuses.put(info.getTxn(), info.getStatus()));
        return statuses;
    }

    private static void checkOrder(long startTs, long commitTs) {
        if (Ts.atMost(commitTs, startTs)) {
            throw TxnException.abort(
                    "the commit ts "
                            + Long.toUnsignedString(commitTs)
                            + " is not above the start ts "
                            + Long.toUnsignedString(startTs));
        }
    }
}
