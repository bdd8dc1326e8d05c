package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.history.Fate;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.CommitResponse;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest.PessimisticAction;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.sim.txn.SimTxn.End;
import io.tidekv.sim.txn.SimTxn.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Commits a transaction in its mode. */
final class Committer {
    private final TxnWorld world;
    private final TxnNet net;
    private final Resolver resolver;
    private final SimTxn txn;
    private final List<String> keys;
    private boolean async;
    private boolean firstTryOfOnePhase = true;
    private long commitTs;

    Committer(TxnWorld world, TxnNet net, Resolver resolver, SimTxn txn) {
        this.world = world;
        this.net = net;
        this.resolver = resolver;
        this.txn = txn;
        keys = new ArrayList<>();
        // The keys that were locked first: the primary must stay the same.
        txn.writes().keySet().stream().filter(txn::isLocked).forEach(keys::add);
        txn.writes().keySet().stream().filter(key -> !txn.isLocked(key)).forEach(keys::add);
        async = txn.mode() == Mode.ASYNC || txn.mode() == Mode.PESSIMISTIC_ASYNC;
    }

    /** Completes with the commit timestamp; fails with {@link End}. */
    CompletableFuture<Long> run() {
        if (keys.isEmpty()) {
            return CompletableFuture.completedFuture(0L);
        }
        if (txn.mode() == Mode.ONE_PHASE) {
            return onePhase(0)
                    .thenCompose(
                            ts ->
                                    ts != 0
                                            ? CompletableFuture.completedFuture(ts)
                                            : prewriteAll().thenCompose(done -> commit()));
        }
        return prewriteAll().thenCompose(done -> commit());
    }

    /** 0 when the store fell back: the keys are then locked, or to be locked, in two phases. */
    private CompletableFuture<Long> onePhase(int tries) {
        txn.step(Fate.ABORTED);
        SimTxn.giveUpAfter(tries, Fate.UNKNOWN);
        ByteString first = raw(keys.get(0));
        CompletableFuture<PrewriteResponse> answered =
                net.call(
                        first,
                        context -> {
                            firstTryOfOnePhase &= !context.getIsRetryRequest() && tries == 0;
                            PrewriteRequest.Builder request =
                                    PrewriteRequest.newBuilder()
                                            .setContext(context)
                                            .setPrimaryLock(first)
                                            .setStartVersion(txn.startTs())
                                            .setLockTtl(SimTxn.TTL_MS)
                                            .setTryOnePc(true);
                            keys.forEach(key -> request.addMutations(mutation(key)));
                            return request.build();
                        },
                        (core, request) -> core.txn().prewrite(request));
        return lostIsUnknown(answered)
                .thenCompose(
                        answer -> {
                            if (answer.getErrorsCount() == 0) {
                                world.sim()
                                        .mark(
                                                answer.getOnePcCommitTs() == 0
                                                        ? "commit: fell back"
                                                        : "commit: one phase");
                                return CompletableFuture.completedFuture(answer.getOnePcCommitTs());
                            }
                            KeyError error = answer.getErrors(0);
                            if (error.hasLocked()) {
                                return resolver.resolve(error.getLocked(), txn.startTs())
                                        .thenCompose(verdict -> txn.pause())
                                        .thenCompose(done -> onePhase(tries + 1));
                            }
                            if (error.hasConflict()) {
                                throw new End(Fate.ABORTED, "conflict");
                            }
                            if (!firstTryOfOnePhase) {
                                throw new End(Fate.UNKNOWN, "an earlier try may succeed");
                            }
                            return CompletableFuture.completedFuture(0L);
                        });
    }

    private CompletableFuture<Void> prewriteAll() {
        CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
        for (String key : keys) {
            all = all.thenCompose(done -> prewrite(key, 0));
        }
        return all;
    }

    private CompletableFuture<Void> prewrite(String key, int tries) {
        txn.step(async ? Fate.UNKNOWN : Fate.ABORTED);
        SimTxn.giveUpAfter(tries, async ? Fate.UNKNOWN : Fate.ABORTED);
        CompletableFuture<PrewriteResponse> answered =
                net.call(
                        raw(key),
                        context -> {
                            PrewriteRequest.Builder request =
                                    PrewriteRequest.newBuilder()
                                            .setContext(context)
                                            .setPrimaryLock(raw(keys.get(0)))
                                            .setStartVersion(txn.startTs())
                                            .setLockTtl(SimTxn.TTL_MS)
                                            .setMinCommitTs(txn.startTs() + 1)
                                            .addMutations(mutation(key));
                            asPessimistic(request, key);
                            asAsync(request, key);
                            return request.build();
                        },
                        (core, request) -> core.txn().prewrite(request));
        return (async ? lostIsUnknown(answered) : answered)
                .thenCompose(answer -> prewritten(key, tries, answer));
    }

    private void asPessimistic(PrewriteRequest.Builder request, String key) {
        if (!txn.mode().isPessimistic()) {
            return;
        }
        request.setForUpdateTs(txn.forUpdateTs())
                .addPessimisticActions(
                        txn.isLocked(key)
                                ? PessimisticAction.DO_PESSIMISTIC_CHECK
                                : PessimisticAction.DO_CONSTRAINT_CHECK);
        long expected = txn.expectedForUpdateTs(key);
        if (expected != 0) {
            request.addForUpdateTsConstraintsBuilder().setIndex(0).setExpectedForUpdateTs(expected);
        }
    }

    private void asAsync(PrewriteRequest.Builder request, String key) {
        if (async) {
            request.setUseAsyncCommit(true);
            if (key.equals(keys.get(0))) {
                keys.subList(1, keys.size()).forEach(each -> request.addSecondaries(raw(each)));
            }
        }
    }

    private CompletableFuture<Void> prewritten(String key, int tries, PrewriteResponse answer) {
        if (answer.getErrorsCount() == 0) {
            if (async && answer.getMinCommitTs() == 0) {
                async = false;
            }
            commitTs = Math.max(commitTs, answer.getMinCommitTs());
            return CompletableFuture.completedFuture(null);
        }
        KeyError error = answer.getErrors(0);
        if (error.hasLocked()) {
            return resolver.resolve(error.getLocked(), txn.startTs())
                    .thenCompose(verdict -> txn.pause())
                    .thenCompose(done -> prewrite(key, tries + 1));
        }
        // Repeating the request cannot succeed after a conflict, however late it comes.
        Fate fate = error.hasConflict() || !async ? Fate.ABORTED : Fate.UNKNOWN;
        world.sim().mark(error.hasConflict() ? "prewrite: conflict" : "prewrite: refused");
        return rollBack()
                .thenApply(
                        done -> {
                            throw new End(fate, "prewrite failed");
                        });
    }

    private CompletableFuture<Void> rollBack() {
        CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
        if (world.random().chance(0.3)) {
            return all;
        }
        for (String key : keys) {
            all =
                    all.thenCompose(
                            done ->
                                    net.call(
                                                    raw(key),
                                                    context ->
                                                            BatchRollbackRequest.newBuilder()
                                                                    .setContext(context)
                                                                    .setStartVersion(txn.startTs())
                                                                    .addKeys(raw(key))
                                                                    .build(),
                                                    (core, request) ->
                                                            core.resolving().batchRollback(request))
                                            .handle((answer, lost) -> null));
        }
        return all;
    }

    private CompletableFuture<Long> commit() {
        if (async) {
            world.sim().mark("commit: asynchronous");
            return CompletableFuture.completedFuture(commitTs);
        }
        return world.timestampLater().thenCompose(ts -> commitPrimary(ts, 0));
    }

    private CompletableFuture<Long> commitPrimary(long ts, int tries) {
        txn.step(tries == 0 ? Fate.ABORTED : Fate.UNKNOWN);
        SimTxn.giveUpAfter(tries, Fate.UNKNOWN);
        return lostIsUnknown(commit(keys.get(0), ts))
                .thenCompose(
                        answer -> {
                            if (!answer.hasError()) {
                                world.sim().mark("commit: two phases");
                                return CompletableFuture.completedFuture(ts);
                            }
                            if (answer.getError().hasCommitTsExpired()) {
                                world.sim().mark("commit: too low");
                                return world.timestampLater()
                                        .thenCompose(newer -> commitPrimary(newer, tries + 1));
                            }
                            throw new End(Fate.ABORTED, "rolled back by others");
                        });
    }

    /** What is left to do once the outcome is known; a client may die before. */
    CompletableFuture<Void> finish(long ts) {
        CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
        if (txn.mode() == Mode.ONE_PHASE && ts == 0) {
            return all;
        }
        for (String key : keys) {
            all =
                    all.thenCompose(
                            done -> {
                                txn.step(Fate.COMMITTED);
                                return commit(key, ts).thenAccept(answer -> {});
                            });
        }
        return all;
    }

    private CompletableFuture<CommitResponse> commit(String key, long ts) {
        return net.call(
                raw(key),
                context ->
                        CommitRequest.newBuilder()
                                .setContext(context)
                                .setStartVersion(txn.startTs())
                                .setCommitVersion(ts)
                                .addKeys(raw(key))
                                .build(),
                (core, request) -> core.txn().commit(request));
    }

    private static <A> CompletableFuture<A> lostIsUnknown(CompletableFuture<A> answered) {
        return answered.exceptionally(
                error -> {
                    throw new End(Fate.UNKNOWN, "no answer");
                });
    }

    private Mutation mutation(String key) {
        return Mutation.newBuilder()
                .setOp(Op.Put)
                .setKey(raw(key))
                .setValue(ByteString.copyFromUtf8(txn.writes().getOrDefault(key, "")))
                .build();
    }

    private static ByteString raw(String key) {
        return ByteString.copyFromUtf8(key);
    }
}
