package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockKind;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnError.Conflict;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.TxnTrace;
import io.tidekv.compute.mvcc.Version;
import io.tidekv.compute.mvcc.WriteKind;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * First phase of an optimistic transaction: locks its keys, all or none. Asynchronous commit and
 * one-phase commit fall back to two phases, as the protocol allows: both timestamps are 0 in the
 * answer. Source: tikv {@code src/storage/txn/actions/prewrite.rs} and {@code
 * commands/prewrite.rs}.
 */
public final class PrewriteCommand implements AutoCloseable {
    private final PrewriteRequest request;
    private final KeyBounds bounds;
    private final MvccReader reader;
    private final MvccWriter writer = new MvccWriter();
    private final AssertionCheck assertions;

    private PrewriteCommand(PrewriteRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        this.request = request;
        this.bounds = bounds;
        reader = new MvccReader(snapshot);
        assertions = new AssertionCheck(request, reader);
    }

    /** Why this request is not served at all; null when it is. */
    public static @Nullable String unsupported(PrewriteRequest request) {
        if (request.getForUpdateTs() != 0 || hasPessimisticAction(request)) {
            return "pessimistic transactions are not served yet: use an optimistic one";
        }
        if (request.getTxnFileChunksCount() > 0) {
            return "file based transactions are not served";
        }
        return null;
    }

    public static Outcome<PrewriteResponse> run(
            PrewriteRequest request, KeyBounds bounds, KvSnapshot snapshot) {
        try (PrewriteCommand command = new PrewriteCommand(request, bounds, snapshot)) {
            return command.run();
        } catch (TxnException e) {
            return Outcome.of(
                    PrewriteResponse.newBuilder().addErrors(KeyErrors.of(e.error())).build());
        }
    }

    private Outcome<PrewriteResponse> run() {
        PrewriteResponse.Builder response = PrewriteResponse.newBuilder();
        @Nullable TxnError failedAssertion = null;
        Set<TxnKey> seen = new HashSet<>();
        for (Mutation mutation : request.getMutationsList()) {
            TxnKey key = TxnKeys.checked(mutation.getKey(), bounds);
            if (!seen.add(key)) {
                throw abort("a key occurs twice in one prewrite");
            }
            try {
                prewrite(key, mutation);
            } catch (TxnException e) {
                if (e.error() instanceof TxnError.AssertionFailed failed) {
                    failedAssertion = failedAssertion == null ? failed : failedAssertion;
                    continue;
                }
                if (isCommitted(key, e.error())) {
                    return Outcome.of(PrewriteResponse.getDefaultInstance());
                }
                if (!(e.error() instanceof TxnError.Locked)) {
                    throw e;
                }
                response.addErrors(KeyErrors.of(e.error()));
            }
        }
        if (failedAssertion != null) {
            throw new TxnException(failedAssertion);
        }
        if (response.getErrorsCount() > 0) {
            return Outcome.of(response.build());
        }
        return Outcome.of(response.build(), writer);
    }

    /** A repeated prewrite that arrives after the own commit has nothing left to do. */
    private boolean isCommitted(TxnKey key, TxnError error) {
        return (error instanceof TxnError.Locked || error instanceof TxnError.Conflict)
                && reader.trace(key, request.getStartVersion()) instanceof TxnTrace.Found found
                && !found.isRollback();
    }

    private void prewrite(TxnKey key, Mutation mutation) {
        LockRecord lock = reader.lock(key);
        if (lock != null) {
            if (lock.startTs() != request.getStartVersion()) {
                throw new TxnException(new TxnError.Locked(key.raw(), lock));
            }
            if (lock.isPessimistic()) {
                throw abort("the key has a pessimistic lock of this optimistic transaction");
            }
            return;
        }
        @Nullable Version newest = null;
        if (!request.getSkipConstraintCheck()) {
            newest = reader.newest(key, Ts.MAX);
            checkNewest(key, mutation, newest);
        }
        assertions.check(key, mutation.getAssertion(), newest);
        if (mutation.getOp() != Op.CheckNotExists) {
            lock(key, mutation, newest);
        }
    }

    private void checkNewest(TxnKey key, Mutation mutation, @Nullable Version newest) {
        if (newest == null) {
            return;
        }
        long startTs = request.getStartVersion();
        boolean rolledBack =
                newest.write().kind() == WriteKind.ROLLBACK || newest.write().overlappedRollback();
        if (newest.commitTs() == startTs && rolledBack) {
            throw conflict(key, newest, Conflict.Reason.SELF_ROLLED_BACK);
        }
        if (Ts.less(startTs, newest.commitTs())) {
            throw conflict(key, newest, Conflict.Reason.OPTIMISTIC);
        }
        boolean mustBeAbsent =
                mutation.getOp() == Op.Insert || mutation.getOp() == Op.CheckNotExists;
        if (mustBeAbsent && reader.visible(key, Ts.MAX) != null) {
            throw new TxnException(new TxnError.AlreadyExist(key.raw()));
        }
    }

    private void lock(TxnKey key, Mutation mutation, @Nullable Version newest) {
        LockKind kind =
                switch (mutation.getOp()) {
                    case Put, Insert -> LockKind.PUT;
                    case Del -> LockKind.DELETE;
                    case Lock -> LockKind.LOCK;
                    default -> throw abort("an operation does not belong in a prewrite");
                };
        long startTs = request.getStartVersion();
        LockRecord.Builder lock =
                LockRecord.builder(kind, request.getPrimaryLock(), startTs)
                        .ttlMs(request.getLockTtl())
                        .txnSize(request.getTxnSize())
                        .minCommitTs(request.getMinCommitTs())
                        .txnSource(request.getContext().getTxnSource());
        if (kind == LockKind.LOCK && !request.getSkipConstraintCheck()) {
            lock.lastChange(LastChanges.below(reader, key, newest));
        }
        ByteString value = mutation.getValue();
        if (kind == LockKind.PUT && value.size() <= LockRecord.SHORT_VALUE_MAX) {
            lock.shortValue(value);
        } else if (kind == LockKind.PUT) {
            writer.putValue(key, startTs, value);
        }
        writer.putLock(key, lock.build());
    }

    private TxnException conflict(TxnKey key, Version with, Conflict.Reason reason) {
        return new TxnException(
                new Conflict(
                        request.getStartVersion(),
                        with.write().startTs(),
                        with.commitTs(),
                        key.raw(),
                        request.getPrimaryLock(),
                        reason));
    }

    /** Clients list an action for each mutation of an optimistic transaction too: skip. */
    private static boolean hasPessimisticAction(PrewriteRequest request) {
        return request.getPessimisticActionsValueList().stream().anyMatch(action -> action != 0);
    }

    private static TxnException abort(String message) {
        return new TxnException(new TxnError.Abort(message));
    }

    @Override
    public void close() {
        reader.close();
    }
}
