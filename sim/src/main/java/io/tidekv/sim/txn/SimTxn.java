package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import io.tidekv.common.history.Fate;
import io.tidekv.common.history.SeenTxn;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import io.tidekv.proto.kvrpcpb.PessimisticLockWakeUpMode;
import io.tidekv.sim.Sim;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One transaction of a client, which may die at any step. Fails with {@link End}. */
final class SimTxn {
    static final long TTL_MS = 300;
    private static final int TRIES = 60;

    /** How a transaction locks and commits. */
    enum Mode {
        TWO_PHASES,
        ASYNC,
        ONE_PHASE,
        PESSIMISTIC,
        PESSIMISTIC_ASYNC;

        boolean isPessimistic() {
            return this == PESSIMISTIC || this == PESSIMISTIC_ASYNC;
        }
    }

    /** The transaction is over before it was meant to be. */
    static final class End extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient Fate fate;

        End(Fate fate, String why) {
            super(why, null, false, false);
            this.fate = fate;
        }

        Fate fate() {
            return fate;
        }
    }

    private final TxnWorld world;
    private final TxnNet net;
    private final Resolver resolver;
    private final long id;
    private final Mode mode;
    private final long began;
    private final List<SeenTxn.Read> reads = new ArrayList<>();
    private final Map<String, String> writes = new LinkedHashMap<>();
    private final Map<String, Long> lockedAt = new LinkedHashMap<>();
    private final Set<String> forced = new LinkedHashSet<>();
    private final Set<Long> resolved = new LinkedHashSet<>();
    private final Set<Long> committed = new LinkedHashSet<>();
    private long startTs;
    private long forUpdateTs;

    SimTxn(TxnWorld world, TxnNet net, Resolver resolver, long id, Mode mode) {
        this.world = world;
        this.net = net;
        this.resolver = resolver;
        this.id = id;
        this.mode = mode;
        began = world.sim().nowNanos();
    }

    long id() {
        return id;
    }

    Mode mode() {
        return mode;
    }

    long startTs() {
        return startTs;
    }

    long forUpdateTs() {
        return forUpdateTs;
    }

    Map<String, String> writes() {
        return writes;
    }

    boolean isLocked(String key) {
        return lockedAt.containsKey(key);
    }

    /**
     * The {@code for_update_ts} that the lock of a key must still have, 0 for any: a forced lock
     * may be taken anew, on newer data, by a request of this transaction that comes late.
     */
    long expectedForUpdateTs(String key) {
        return forced.contains(key) ? lockedAt.getOrDefault(key, 0L) : 0;
    }

    CompletableFuture<Void> begin() {
        return world.timestampLater()
                .thenAccept(
                        ts -> {
                            startTs = ts;
                            forUpdateTs = ts;
                        });
    }

    /** What the client knows in the end. */
    SeenTxn seen(Fate fate, long commitTs) {
        return new SeenTxn(
                id,
                fate,
                startTs,
                Map.copyOf(lockedAt),
                commitTs,
                began,
                world.sim().nowNanos(),
                List.copyOf(reads),
                Map.copyOf(writes));
    }

    void write(String key, String value) {
        writes.put(key, value);
    }

    /** Dies now and then. */
    void step(Fate fate) {
        if (world.isFaulty() && world.random().chance(0.01)) {
            world.sim().mark("client: died, " + fate);
            throw new End(fate, "the client died");
        }
    }

    CompletableFuture<@Nullable String> read(String key) {
        step(Fate.ABORTED);
        return read(key, 0);
    }

    private CompletableFuture<@Nullable String> read(String key, int tries) {
        giveUpAfter(tries, Fate.ABORTED);
        ByteString raw = ByteString.copyFromUtf8(key);
        return net.call(
                        raw,
                        context ->
                                GetRequest.newBuilder()
                                        .setContext(
                                                context.clearResolvedLocks()
                                                        .clearCommittedLocks()
                                                        .addAllResolvedLocks(resolved)
                                                        .addAllCommittedLocks(committed))
                                        .setKey(raw)
                                        .setVersion(startTs)
                                        .build(),
                        (core, request) -> core.reads().get(request))
                .thenCompose(
                        answer -> {
                            if (answer.hasError()) {
                                return met(locked(answer.getError()))
                                        .thenCompose(done -> read(key, tries + 1));
                            }
                            String value =
                                    answer.getNotFound() ? null : answer.getValue().toStringUtf8();
                            reads.add(new SeenTxn.Read(key, value, startTs));
                            return CompletableFuture.<@Nullable String>completedFuture(value);
                        });
    }

    /** A reader met a lock: finds out about it, and waits a little if it stays. */
    private CompletableFuture<Void> met(LockInfo lock) {
        return resolver.resolve(lock, startTs)
                .thenCompose(
                        verdict -> {
                            if (!verdict.bypass()) {
                                return pause();
                            }
                            boolean below =
                                    verdict.commitTs() != 0 && verdict.commitTs() <= startTs;
                            (below ? committed : resolved).add(lock.getLockVersion());
                            return CompletableFuture.completedFuture(null);
                        });
    }

    /** Locks a key and reads its newest value. */
    CompletableFuture<@Nullable String> lock(String key) {
        step(Fate.ABORTED);
        boolean force = world.random().chance(0.3);
        return world.timestampLater().thenCompose(ts -> lock(key, ts, force, 0));
    }

    private CompletableFuture<@Nullable String> lock(
            String key, long ts, boolean force, int tries) {
        giveUpAfter(tries, Fate.ABORTED);
        forUpdateTs = Math.max(forUpdateTs, ts);
        ByteString raw = ByteString.copyFromUtf8(key);
        String primary = lockedAt.isEmpty() ? key : lockedAt.keySet().iterator().next();
        return net.call(
                        raw,
                        context ->
                                PessimisticLockRequest.newBuilder()
                                        .setContext(context)
                                        .addMutations(
                                                Mutation.newBuilder()
                                                        .setOp(Op.PessimisticLock)
                                                        .setKey(raw))
                                        .setPrimaryLock(ByteString.copyFromUtf8(primary))
                                        .setStartVersion(startTs)
                                        .setForUpdateTs(ts)
                                        .setLockTtl(TTL_MS)
                                        .setWaitTimeout(200)
                                        .setReturnValues(true)
                                        .setWakeUpMode(
                                                force
                                                        ? PessimisticLockWakeUpMode
                                                                .WakeUpModeForceLock
                                                        : PessimisticLockWakeUpMode
                                                                .WakeUpModeNormal)
                                        .build(),
                        (core, request) -> core.pessimistic().lock(request))
                .thenCompose(answer -> locked(key, ts, force, tries, answer));
    }

    private CompletableFuture<@Nullable String> locked(
            String key, long ts, boolean force, int tries, PessimisticLockResponse answer) {
        if (answer.getErrorsCount() == 0) {
            long at = ts;
            String value;
            if (force) {
                long conflict = answer.getResults(0).getLockedWithConflictTs();
                at = conflict == 0 ? ts : conflict;
                value =
                        answer.getResults(0).getExistence()
                                ? answer.getResults(0).getValue().toStringUtf8()
                                : null;
            } else {
                value = answer.getNotFounds(0) ? null : answer.getValues(0).toStringUtf8();
            }
            lockedAt.put(key, at);
            if (force) {
                forced.add(key);
            }
            reads.add(new SeenTxn.Read(key, value, at));
            return CompletableFuture.completedFuture(value);
        }
        KeyError error = answer.getErrors(0);
        if (error.hasConflict()) {
            world.sim().mark("lock: conflict");
            return world.timestampLater().thenCompose(newer -> lock(key, newer, force, tries + 1));
        }
        if (error.hasLocked()) {
            return resolver.resolve(error.getLocked(), startTs)
                    .thenCompose(verdict -> lock(key, ts, force, tries + 1));
        }
        world.sim().mark(error.hasDeadlock() ? "lock: deadlock" : "lock: refused");
        throw new End(Fate.ABORTED, "cannot lock");
    }

    LockInfo locked(KeyError error) {
        if (!error.hasLocked()) {
            throw new AssertionError("an error that a reader cannot meet: " + error);
        }
        return error.getLocked();
    }

    CompletableFuture<Void> pause() {
        CompletableFuture<Void> over = new CompletableFuture<>();
        world.sim()
                .after(
                        world.random().nextLong(2 * Sim.MS, 40 * Sim.MS),
                        "pause",
                        () -> over.complete(null));
        return over;
    }

    static void giveUpAfter(int tries, Fate fate) {
        if (tries > TRIES) {
            throw new End(fate, "too many tries");
        }
    }
}
