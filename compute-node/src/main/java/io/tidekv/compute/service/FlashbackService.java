package io.tidekv.compute.service;

import com.google.protobuf.ByteString;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.mvcc.Ts;
import io.tidekv.compute.mvcc.TxnException;
import io.tidekv.compute.mvcc.TxnKey;
import io.tidekv.compute.service.Runner.Cost;
import io.tidekv.compute.txn.FlashbackCommands;
import io.tidekv.compute.txn.FlashbackCommands.Plan;
import io.tidekv.compute.txn.FlashbackCommands.Progress;
import io.tidekv.compute.txn.KeyErrors;
import io.tidekv.compute.txn.Outcome;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.FlashbackToVersionRequest;
import io.tidekv.proto.kvrpcpb.FlashbackToVersionResponse;
import io.tidekv.proto.kvrpcpb.PrepareFlashbackToVersionRequest;
import io.tidekv.proto.kvrpcpb.PrepareFlashbackToVersionResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Brings a region back to an older version, in two requests. The first shuts it for everybody else,
 * by its own log, so that it stays shut through changes of owner; the second writes the old values
 * and opens it. Each may be repeated until it succeeds. Thread-safe.
 */
public final class FlashbackService {
    private final Runner runner;
    private final ApiChecks api;

    FlashbackService(Runner runner, ApiChecks api) {
        this.runner = runner;
        this.api = api;
    }

    /** One batch of the work. */
    private interface Step {
        Outcome<Progress> eval(ByteString from, KvSnapshot view);
    }

    public CompletableFuture<PrepareFlashbackToVersionResponse> prepare(
            PrepareFlashbackToVersionRequest request) {
        String refusal = refuse(request.getContext(), request.getStartKey(), request.getEndKey());
        if (refusal == null && request.getStartTs() == 0) {
            refusal = "a flashback needs a start timestamp";
        }
        if (refusal == null && !Ts.less(request.getVersion(), request.getStartTs())) {
            refusal = "a flashback goes back to a version below its start timestamp";
        }
        if (refusal != null) {
            return CompletableFuture.completedFuture(prepared(refusal));
        }
        Deadline deadline = Deadline.of(request.getContext(), runner.clock());
        Target open = runner.checks().check(request.getContext());
        Target shut = FlashbackRegion.of(open);
        Plan plan =
                plan(
                        open,
                        request.getStartTs(),
                        0,
                        request.getVersion(),
                        request.getStartKey(),
                        request.getEndKey());
        return open.region()
                .flashback(open.version(), request.getStartTs())
                .thenCompose(
                        done ->
                                steps(
                                        shut,
                                        deadline,
                                        plan.lower(),
                                        (from, view) ->
                                                FlashbackCommands.rollBackLocks(plan, from, view)))
                .thenCompose(
                        done ->
                                steps(
                                        shut,
                                        deadline,
                                        plan.lower(),
                                        (from, view) -> FlashbackCommands.lockFirst(plan, view)))
                .thenApply(done -> prepared(""));
    }

    public CompletableFuture<FlashbackToVersionResponse> flashback(
            FlashbackToVersionRequest request) {
        String refusal = refuse(request.getContext(), request.getStartKey(), request.getEndKey());
        if (refusal == null && !Ts.less(request.getStartTs(), request.getCommitTs())) {
            refusal = "a flashback commits above its start timestamp";
        }
        if (refusal != null) {
            return CompletableFuture.completedFuture(flashed(refusal));
        }
        Deadline deadline = Deadline.of(request.getContext(), runner.clock());
        Target open = runner.checks().check(request.getContext());
        Target shut = FlashbackRegion.of(open);
        Plan plan =
                plan(
                        open,
                        request.getStartTs(),
                        request.getCommitTs(),
                        request.getVersion(),
                        request.getStartKey(),
                        request.getEndKey());
        CompletableFuture<FlashbackToVersionResponse> answer =
                runner.readTarget(
                                shut,
                                Cost.RANGE,
                                view -> first(FlashbackCommands.firstChanged(plan, view)))
                        .thenCompose(first -> writeOld(shut, deadline, plan, first))
                        .thenCompose(done -> open.region().flashback(open.version(), 0))
                        .thenApply(done -> flashed(""));
        return Futures.recover(
                answer, TxnException.class, e -> flashed(KeyErrors.of(e.error()).toString()));
    }

    private CompletableFuture<Progress> writeOld(
            Target shut, Deadline deadline, Plan plan, List<TxnKey> first) {
        if (first.isEmpty()) {
            return CompletableFuture.completedFuture(Progress.DONE);
        }
        TxnKey primary = first.get(0);
        return steps(
                shut,
                deadline,
                ByteString.copyFrom(primary.encoded()),
                (from, view) -> FlashbackCommands.writeOld(plan, primary, from, view));
    }

    private static List<TxnKey> first(@Nullable TxnKey key) {
        return key == null ? List.of() : List.of(key);
    }

    /** Batch by batch, until the step says that nothing is left. */
    private CompletableFuture<Progress> steps(
            Target shut, Deadline deadline, ByteString from, Step step) {
        return runner.writeTarget(
                        shut, deadline, latch(shut), (target, view) -> step.eval(from, view))
                .thenCompose(
                        progress ->
                                progress.isDone()
                                        ? CompletableFuture.completedFuture(progress)
                                        : steps(shut, deadline, progress.next(), step));
    }

    /** Steps of one region's flashback come one after the other; nobody else is let in. */
    private static List<byte[]> latch(Target shut) {
        return List.of(ByteBuffer.allocate(Long.BYTES).putLong(shut.shape().getRegionId()).array());
    }

    private @Nullable String refuse(Context context, ByteString start, ByteString end) {
        return api.refuseTxnRange(context, start, end);
    }

    private static Plan plan(
            Target target,
            long startTs,
            long commitTs,
            long version,
            ByteString start,
            ByteString end) {
        return FlashbackCommands.plan(
                startTs,
                commitTs,
                version,
                start,
                end,
                target.shape().getStartKey(),
                target.shape().getEndKey());
    }

    private static PrepareFlashbackToVersionResponse prepared(String error) {
        return PrepareFlashbackToVersionResponse.newBuilder().setError(error).build();
    }

    private static FlashbackToVersionResponse flashed(String error) {
        return FlashbackToVersionResponse.newBuilder().setError(error).build();
    }
}
