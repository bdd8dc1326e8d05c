package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.proto.kvrpcpb.Action;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksRequest;
import io.tidekv.proto.kvrpcpb.CheckSecondaryLocksResponse;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusResponse;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What a client does about locks of others that are in its way, as TiKV's clients do it. */
final class Resolver {
    private static final int LOGICAL_BITS = 18;

    private final TxnWorld world;
    private final TxnNet net;

    Resolver(TxnWorld world, TxnNet net) {
        this.world = world;
        this.net = net;
    }

    /**
     * What a lock means to who met it.
     *
     * @param bypass a reader may take it for not there
     * @param commitTs not 0: its transaction has committed
     */
    record Verdict(boolean bypass, long commitTs) {}

    /** Finds out about a lock, and removes it if its transaction is over. */
    CompletableFuture<Verdict> resolve(LockInfo lock, long callerTs) {
        return world.timestampLater().thenCompose(now -> status(lock, callerTs, now, false));
    }

    private CompletableFuture<Verdict> status(
            LockInfo lock, long callerTs, long now, boolean forceSync) {
        boolean expired = isExpired(lock, now);
        CompletableFuture<CheckTxnStatusResponse> asked =
                net.call(
                        lock.getPrimaryLock(),
                        context ->
                                CheckTxnStatusRequest.newBuilder()
                                        .setContext(context)
                                        .setPrimaryKey(lock.getPrimaryLock())
                                        .setLockTs(lock.getLockVersion())
                                        .setCallerStartTs(callerTs)
                                        .setCurrentTs(now)
                                        .setRollbackIfNotExist(expired)
                                        .setForceSyncCommit(forceSync)
                                        .setResolvingPessimisticLock(
                                                lock.getLockType() == Op.PessimisticLock)
                                        .setVerifyIsPrimary(true)
                                        .build(),
                        (core, request) -> core.resolving().checkTxnStatus(request));
        return asked.thenCompose(status -> decide(lock, callerTs, now, status));
    }

    private CompletableFuture<Verdict> decide(
            LockInfo lock, long callerTs, long now, CheckTxnStatusResponse status) {
        if (status.hasError()) {
            return CompletableFuture.completedFuture(new Verdict(false, 0));
        }
        if (status.getLockTtl() > 0) {
            if (status.getLockInfo().getUseAsyncCommit() && isExpired(status.getLockInfo(), now)) {
                return secondaries(lock, callerTs, now, status.getLockInfo());
            }
            boolean pushed = status.getAction() == Action.MinCommitTSPushed;
            return CompletableFuture.completedFuture(new Verdict(pushed, 0));
        }
        return remove(lock, status.getCommitVersion());
    }

    private CompletableFuture<Verdict> secondaries(
            LockInfo lock, long callerTs, long now, LockInfo primary) {
        List<ByteString> keys = primary.getSecondariesList();
        CompletableFuture<List<CheckSecondaryLocksResponse>> all =
                CompletableFuture.completedFuture(new ArrayList<>());
        for (ByteString key : keys) {
            all =
                    all.thenCompose(
                            so ->
                                    checkSecondary(key, lock.getLockVersion())
                                            .thenApply(
                                                    answer -> {
                                                        so.add(answer);
                                                        return so;
                                                    }));
        }
        return all.thenCompose(answers -> decide(lock, callerTs, now, primary, answers));
    }

    private CompletableFuture<Verdict> decide(
            LockInfo lock,
            long callerTs,
            long now,
            LockInfo primary,
            List<CheckSecondaryLocksResponse> answers) {
        long commitTs = primary.getMinCommitTs();
        for (CheckSecondaryLocksResponse answer : answers) {
            if (answer.hasError()) {
                return CompletableFuture.completedFuture(new Verdict(false, 0));
            }
            if (answer.getLocksCount() == 0) {
                // Committed at that timestamp, or rolled back, and so are all.
                return settle(lock, answer.getCommitTs());
            }
            if (!answer.getLocks(0).getUseAsyncCommit()) {
                return status(lock, callerTs, now, true);
            }
            commitTs = Math.max(commitTs, answer.getLocks(0).getMinCommitTs());
        }
        return settle(lock, commitTs);
    }

    private CompletableFuture<Verdict> settle(LockInfo lock, long commitTs) {
        world.sim().mark("resolver: asynchronous commit settled");
        LockInfo own = lock.toBuilder().setKey(lock.getPrimaryLock()).build();
        return remove(own, commitTs).thenCompose(done -> remove(lock, commitTs));
    }

    private CompletableFuture<CheckSecondaryLocksResponse> checkSecondary(
            ByteString key, long startTs) {
        return net.call(
                key,
                context ->
                        CheckSecondaryLocksRequest.newBuilder()
                                .setContext(context)
                                .addKeys(key)
                                .setStartVersion(startTs)
                                .build(),
                (core, request) -> core.resolving().checkSecondaryLocks(request));
    }

    private CompletableFuture<Verdict> remove(LockInfo lock, long commitTs) {
        world.sim().mark(commitTs == 0 ? "resolver: rolled back" : "resolver: committed");
        Verdict verdict = new Verdict(true, commitTs);
        if (lock.getLockType() == Op.PessimisticLock) {
            return net.call(
                            lock.getKey(),
                            context ->
                                    PessimisticRollbackRequest.newBuilder()
                                            .setContext(context)
                                            .setStartVersion(lock.getLockVersion())
                                            .setForUpdateTs(lock.getLockForUpdateTs())
                                            .addKeys(lock.getKey())
                                            .build(),
                            (core, request) -> core.pessimistic().rollback(request))
                    .thenApply(done -> verdict);
        }
        return net.call(
                        lock.getKey(),
                        context ->
                                ResolveLockRequest.newBuilder()
                                        .setContext(context)
                                        .setStartVersion(lock.getLockVersion())
                                        .setCommitVersion(commitTs)
                                        .addKeys(lock.getKey())
                                        .build(),
                        (core, request) -> core.resolving().resolveLock(request))
                .thenApply(done -> verdict);
    }

    private static boolean isExpired(LockInfo lock, long now) {
        return (lock.getLockVersion() >>> LOGICAL_BITS) + lock.getLockTtl() < now >>> LOGICAL_BITS;
    }
}
