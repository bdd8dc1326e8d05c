package io.tidekv.compute.txn;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KeyBounds;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.LockRecord;
import io.tidekv.compute.mvcc.MvccReader;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnError;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.mvcc.TxnTrace;
import io.tidekv.compute.mvcc.WriteRecord;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest.PessimisticAction;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * First phase of a transaction: locks its keys, all or none. Under asynchronous and one-phase
 * commit it also chooses the lowest commit timestamp that no reader can have missed; where that is
 * above what the client allows, the whole request falls back to two phases and both timestamps of
 * the answer are 0. Source: tikv {@code src/storage/txn/commands/prewrite.rs}.
 */
public final class PrewriteCommand implements AutoCloseable {
    private final PrewriteRequest request;
    private final KeyBounds bounds;
    private final MvccReader reader;
    private final MvccWriter writer = new MvccWriter();
    private final MemoryLocks memoryLocks = new MemoryLocks();
    private final PrewriteKey keys;
    private final List<OnePhase> onePhase = new ArrayList<>();
    private PrewriteMode mode;
    private long commitTs;

    /** A lock that becomes a commit record at once, unless the request falls back. */
    private record OnePhase(TxnKey key, LockRecord lock, boolean wasLocked) {}

    private PrewriteCommand(
            PrewriteRequest request,
            KeyBounds bounds,
            KvSnapshot snapshot,
            Concurrency concurrency) {
        this.request = request;
        this.bounds = bounds;
        reader = new MvccReader(snapshot);
        keys = new PrewriteKey(request, reader, writer, concurrency, memoryLocks);
        mode =
                request.getTryOnePc()
                        ? PrewriteMode.ONE_PHASE
                        : request.getUseAsyncCommit()
                                ? PrewriteMode.ASYNC
                                : PrewriteMode.TWO_PHASES;
    }

    /** Why this request is not served at all; null when it is. */
    public static @Nullable String unsupported(PrewriteRequest request) {
        return request.getTxnFileChunksCount() > 0
                ? "file based transactions are not served"
                : null;
    }

    public static Outcome<PrewriteResponse> run(
            PrewriteRequest request,
            KeyBounds bounds,
            KvSnapshot snapshot,
            Concurrency concurrency) {
        PrewriteCommand command = new PrewriteCommand(request, bounds, snapshot, concurrency);
        boolean done = false;
        try (command) {
            Outcome<PrewriteResponse> outcome = command.run();
            done = outcome.batch() != null;
            return outcome;
        } catch (TxnException e) {
            return Outcome.of(
                    PrewriteResponse.newBuilder().addErrors(KeyErrors.of(e.error())).build());
        } finally {
            if (!done) {
                command.memoryLocks.close();
            }
        }
    }

    private Outcome<PrewriteResponse> run() {
        checkActions();
        PrewriteResponse.Builder response = PrewriteResponse.newBuilder();
        @Nullable TxnError failedAssertion = null;
        Set<TxnKey> seen = new HashSet<>();
        Map<Integer, Long> expected = expectedForUpdateTs();
        for (int i = 0; i < request.getMutationsCount(); i++) {
            Mutation mutation = request.getMutations(i);
            TxnKey key = TxnKeys.checked(mutation.getKey(), bounds);
            if (!seen.add(key)) {
                throw TxnException.abort("a key occurs twice in one prewrite");
            }
            try {
                PrewriteKey.Result result =
                        keys.prewrite(key, mutation, action(i), expected.get(i), mode);
                if (result.committedTs() != 0) {
                    return committed(result.committedTs());
                }
                take(key, result);
            } catch (TxnException e) {
                TxnError error = e.error();
                if (error instanceof TxnError.AssertionFailed) {
                    failedAssertion = failedAssertion == null ? error : failedAssertion;
                    continue;
                }
                long committed = committedTs(key, error);
                if (committed != 0) {
                    return committed(committed);
                }
                if (!(error instanceof TxnError.Locked)) {
                    throw e;
                }
                response.addErrors(KeyErrors.of(error));
            }
        }
        if (failedAssertion != null) {
            throw new TxnException(failedAssertion);
        }
        return response.getErrorsCount() > 0 ? Outcome.of(response.build()) : finish(response);
    }

    private void take(TxnKey key, PrewriteKey.Result result) {
        if (!mode.needsTs()) {
            return;
        }
        if (result.minCommitTs() == 0) {
            fallBack();
            return;
        }
        commitTs = Ts.max(commitTs, result.minCommitTs());
        LockRecord lock = result.onePhase();
        if (lock != null) {
            onePhase.add(new OnePhase(key, lock, result.wasLocked()));
        }
    }

    /** From here on as in two phases; what was prewritten before stays as it is. */
    private void fallBack() {
        mode = PrewriteMode.TWO_PHASES;
        onePhase.forEach(each -> writer.putLock(each.key, each.lock));
        onePhase.clear();
        memoryLocks.close();
        commitTs = 0;
    }

    private Outcome<PrewriteResponse> finish(PrewriteResponse.Builder response) {
        for (OnePhase each : onePhase) {
            WriteRecord write = TxnActions.writeOf(each.lock);
            writer.putWrite(each.key, commitTs, write);
            if (each.wasLocked) {
                writer.deleteLock(each.key, each.lock, commitTs);
            }
        }
        return Outcome.of(timestamps(response, commitTs), writer, memoryLocks);
    }

    /** A repeated prewrite that arrives after the own commit has nothing left to do. */
    private Outcome<PrewriteResponse> committed(long ts) {
        return Outcome.of(timestamps(PrewriteResponse.newBuilder(), ts));
    }

    private PrewriteResponse timestamps(PrewriteResponse.Builder response, long ts) {
        if (mode == PrewriteMode.ONE_PHASE) {
            response.setOnePcCommitTs(ts);
        }
        if (mode.needsTs() && request.getUseAsyncCommit()) {
            response.setMinCommitTs(ts);
        }
        return response.build();
    }

    private long committedTs(TxnKey key, TxnError error) {
        boolean maybe =
                error instanceof TxnError.Locked
                        || error instanceof TxnError.Conflict
                        || error instanceof TxnError.PessimisticLockNotFound;
        return maybe
                        && reader.trace(key, request.getStartVersion())
                                instanceof TxnTrace.Found found
                        && !found.isRollback()
                ? found.version().commitTs()
                : 0;
    }

    /**
     * A list that is too short would leave mutations without an action: TiKV drops them. One that
     * is too long is what client-rust sends when it has split a transaction by regions.
     */
    private void checkActions() {
        if (request.getForUpdateTs() != 0
                && request.getPessimisticActionsCount() < request.getMutationsCount()) {
            throw TxnException.abort("pessimistic_actions must have an entry for each mutation");
        }
        for (PrewriteRequest.ForUpdateTSConstraint each : request.getForUpdateTsConstraintsList()) {
            if (Integer.compareUnsigned(each.getIndex(), request.getMutationsCount()) >= 0) {
                throw TxnException.abort(
                        "a for_update_ts constraint is for no mutation of the request");
            }
        }
    }

    private Map<Integer, Long> expectedForUpdateTs() {
        Map<Integer, Long> expected = new HashMap<>();
        request.getForUpdateTsConstraintsList()
                .forEach(each -> expected.put(each.getIndex(), each.getExpectedForUpdateTs()));
        return expected;
    }

    private PessimisticAction action(int index) {
        return request.getForUpdateTs() == 0
                ? PessimisticAction.SKIP_PESSIMISTIC_CHECK
                : request.getPessimisticActions(index);
    }

    /** Secondaries belong into the primary's lock only. */
    static List<ByteString> secondaries(PrewriteRequest request, TxnKey key) {
        return key.raw().equals(request.getPrimaryLock())
                ? request.getSecondariesList()
                : List.of();
    }

    @Override
    public void close() {
        reader.close();
    }
}
