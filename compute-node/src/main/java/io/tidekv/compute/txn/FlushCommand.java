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
import io.tidekv.proto.kvrpcpb.BufferBatchGetRequest;
import io.tidekv.proto.kvrpcpb.BufferBatchGetResponse;
import io.tidekv.proto.kvrpcpb.FlushRequest;
import io.tidekv.proto.kvrpcpb.FlushResponse;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes part of a large transaction while it still runs, and reads it back. A key may be flushed
 * again: the later generation stands, whichever comes first. Source: tikv {@code
 * src/storage/txn/commands/flush.rs}.
 */
public final class FlushCommand implements AutoCloseable {
    /** Such a transaction has no size that others could wait by. */
    private static final long TXN_SIZE = -1L;

    private final FlushRequest request;
    private final KeyBounds bounds;
    private final Concurrency concurrency;
    private final MvccReader reader;
    private final MvccWriter writer = new MvccWriter();
    private final AssertionCheck assertions;

    private FlushCommand(
            FlushRequest request, KeyBounds bounds, KvSnapshot snapshot, Concurrency concurrency) {
        this.request = request;
        this.bounds = bounds;
        this.concurrency = concurrency;
        reader = new MvccReader(snapshot);
        assertions = new AssertionCheck(request.getAssertionLevel(), request.getStartTs(), reader);
    }

    public static Outcome<FlushResponse> run(
            FlushRequest request, KeyBounds bounds, KvSnapshot snapshot, Concurrency concurrency) {
        try (FlushCommand command = new FlushCommand(request, bounds, snapshot, concurrency)) {
            return command.run();
        } catch (TxnException e) {
            return Outcome.of(
                    FlushResponse.newBuilder().addErrors(KeyErrors.of(e.error())).build());
        }
    }

    private Outcome<FlushResponse> run() {
        if (request.getGeneration() == 0) {
            throw TxnException.abort("the generation of a flush must not be 0");
        }
        FlushResponse.Builder response = FlushResponse.newBuilder();
        Set<TxnKey> seen = new HashSet<>();
        for (Mutation mutation : request.getMutationsList()) {
            TxnKey key = TxnKeys.checked(mutation.getKey(), bounds);
            if (!seen.add(key)) {
                throw TxnException.abort("a key occurs twice in one flush");
            }
            try {
                flush(key, mutation);
            } catch (TxnException e) {
                if (reader.trace(key, request.getStartTs()) instanceof TxnTrace.Found found
                        && !found.isRollback()) {
                    return Outcome.of(FlushResponse.getDefaultInstance());
                }
                if (!(e.error() instanceof TxnError.Locked)) {
                    throw e;
                }
                response.addErrors(KeyErrors.of(e.error()));
            }
        }
        return response.getErrorsCount() > 0
                ? Outcome.of(response.build())
                : Outcome.of(response.build(), writer);
    }

    private void flush(TxnKey key, Mutation mutation) {
        LockRecord lock = reader.lock(key);
        if (lock != null) {
            if (lock.startTs() != request.getStartTs()) {
                throw new TxnException(new TxnError.Locked(key.raw(), lock));
            }
            if (lock.isPessimistic()) {
                throw TxnException.abort("the key has a pessimistic lock of this transaction");
            }
            if (Ts.less(lock.generation(), request.getGeneration())) {
                write(key, mutation, lock);
            }
            return;
        }
        Version newest = reader.newest(key, Ts.MAX);
        if (newest != null) {
            checkNewest(key, mutation, newest);
        }
        assertions.check(key, mutation.getAssertion(), true, newest);
        if (mutation.getOp() == Op.Insert || mutation.getOp() == Op.CheckNotExists) {
            concurrency.raise(request.getStartTs());
        }
        if (mutation.getOp() != Op.CheckNotExists) {
            write(key, mutation, null);
        }
    }

    private void checkNewest(TxnKey key, Mutation mutation, Version newest) {
        long startTs = request.getStartTs();
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

    private void write(TxnKey key, Mutation mutation, @Nullable LockRecord before) {
        LockKind kind =
                switch (mutation.getOp()) {
                    case Put, Insert -> LockKind.PUT;
                    case Del -> LockKind.DELETE;
                    case Lock -> LockKind.LOCK;
                    default -> throw TxnException.abort("an operation does not belong in a flush");
                };
        long startTs = request.getStartTs();
        LockRecord.Builder lock =
                LockRecord.builder(kind, request.getPrimaryKey(), startTs)
                        .ttlMs(
                                before == null
                                        ? request.getLockTtl()
                                        : Ts.max(request.getLockTtl(), before.ttlMs()))
                        .txnSize(TXN_SIZE)
                        .minCommitTs(
                                before == null
                                        ? request.getMinCommitTs()
                                        : Ts.max(request.getMinCommitTs(), before.minCommitTs()))
                        .generation(request.getGeneration())
                        .txnSource(request.getContext().getTxnSource());
        if (kind == LockKind.LOCK) {
            lock.lastChange(
                    before == null
                            ? LastChanges.below(reader, key, reader.newest(key, Ts.MAX))
                            : before.lastChange());
        }
        ByteString value = mutation.getValue();
        if (kind == LockKind.PUT && value.size() <= LockRecord.SHORT_VALUE_MAX) {
            lock.shortValue(value);
        } else if (kind == LockKind.PUT) {
            writer.putValue(key, startTs, value);
        }
        boolean hadLongValue =
                before != null && before.kind() == LockKind.PUT && before.shortValue() == null;
        boolean hasLongValue = kind == LockKind.PUT && value.size() > LockRecord.SHORT_VALUE_MAX;
        if (hadLongValue && !hasLongValue) {
            writer.deleteValue(key, startTs);
        }
        writer.putLock(key, lock.build());
    }

    /** What the transaction has flushed for these keys: deletions come as empty values. */
    public static BufferBatchGetResponse read(
            BufferBatchGetRequest request, KeyBounds bounds, KvSnapshot snapshot, long bytesMax) {
        BufferBatchGetResponse.Builder response = BufferBatchGetResponse.newBuilder();
        ResponseSize size = new ResponseSize(bytesMax);
        try (MvccReader reader = new MvccReader(snapshot)) {
            for (ByteString raw : request.getKeysList()) {
                TxnKey key = TxnKeys.checked(raw, bounds);
                LockRecord lock = reader.lock(key);
                if (lock != null && isChange(lock, request.getVersion())) {
                    ByteString value = reader.value(key, lock);
                    size.add(raw.size() + (value == null ? 0 : value.size()));
                    response.addPairs(
                            KvPair.newBuilder()
                                    .setKey(raw)
                                    .setValue(value == null ? ByteString.EMPTY : value));
                }
            }
            return response.build();
        } catch (TxnException e) {
            return BufferBatchGetResponse.newBuilder().setError(KeyErrors.of(e.error())).build();
        }
    }

    private static boolean isChange(LockRecord lock, long startTs) {
        return lock.startTs() == startTs
                && (lock.kind() == LockKind.PUT || lock.kind() == LockKind.DELETE);
    }

    private TxnException conflict(TxnKey key, Version with, Conflict.Reason reason) {
        return TxnException.conflict(
                request.getStartTs(), with, key, request.getPrimaryKey(), reason);
    }

    @Override
    public void close() {
        reader.close();
    }
}
