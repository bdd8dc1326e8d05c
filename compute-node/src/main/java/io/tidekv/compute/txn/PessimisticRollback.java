package io.tidekv.compute.txn;

import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackResponse;
import java.util.Collection;

/** Gives up pessimistic locks without a trace: the transaction may go on and lock them again. */
public final class PessimisticRollback {
    private PessimisticRollback() {}

    /** The keys that the request names. */
    public static Outcome<PessimisticRollbackResponse> run(
            PessimisticRollbackRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        try {
            return found(request, TxnKeys.distinct(request.getKeysList(), bounds), snapshot);
        } catch (TxnException e) {
            return Outcome.of(
                    PessimisticRollbackResponse.newBuilder()
                            .addErrors(KeyErrors.of(e.error()))
                            .build());
        }
    }

    /** Keys found before; locks that were taken anew at a higher timestamp since stay. */
    public static Outcome<PessimisticRollbackResponse> found(
            PessimisticRollbackRequest request, Collection<TxnKey> keys, KvSnapshot snapshot) {
        MvccWriter writer = new MvccWriter();
        try (MvccReader reader = new MvccReader(snapshot)) {
            for (TxnKey key : keys) {
                LockRecord lock = reader.lock(key);
                if (lock != null
                        && lock.isPessimistic()
                        && lock.startTs() == request.getStartVersion()
                        && Ts.atMost(lock.forUpdateTs(), request.getForUpdateTs())) {
                    writer.deleteLock(key, lock, 0);
                }
            }
        }
        return Outcome.of(PessimisticRollbackResponse.getDefaultInstance(), writer);
    }
}
