package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.LockInfo;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.PrewriteResponse;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Transactions of one key by optimistic two-phase commit: enough to measure with. Thread-safe. A
 * write that meets another one begins anew with a new timestamp.
 */
public final class TxnKv {
    private static final long LOCK_TTL_MILLIS = 3_000;
    private static final Duration LOCK_PAUSE = Duration.ofMillis(20);
    private static final int TRIES_MAX = 200;

    private final KvClient client;
    private final boolean onePhase;

    public TxnKv(KvClient client) {
        this(client, false);
    }

    /**
     * @param onePhase commits with the prewrite, where the store agrees
     */
    public TxnKv(KvClient client, boolean onePhase) {
        this.client = client;
        this.onePhase = onePhase;
    }

    /** Commits one value. */
    public CompletableFuture<Void> put(ByteString key, ByteString value) {
        return put(key, value, 1);
    }

    /** The newest committed value, or nothing. */
    public CompletableFuture<Optional<ByteString>> get(ByteString key) {
        return client.timestamp().thenCompose(version -> get(key, version, 1));
    }

    private CompletableFuture<Void> put(ByteString key, ByteString value, int attempt) {
        return client.timestamp().thenCompose(start -> write(key, value, start, attempt));
    }

    private CompletableFuture<Void> write(
            ByteString key, ByteString value, long start, int attempt) {
        return prewrite(key, value, start)
                .thenCompose(
                        answer -> {
                            if (answer.getErrorsCount() > 0) {
                                return blocked(
                                        answer.getErrors(0),
                                        attempt,
                                        () -> put(key, value, attempt + 1));
                            }
                            return answer.getOnePcCommitTs() != 0
                                    ? CompletableFuture.completedFuture(null)
                                    : commit(key, start);
                        });
    }

    private CompletableFuture<PrewriteResponse> prewrite(
            ByteString key, ByteString value, long start) {
        Mutation mutation = Mutation.newBuilder().setOp(Op.Put).setKey(key).setValue(value).build();
        return client.call(
                Command.PREWRITE,
                stored(key),
                route ->
                        PrewriteRequest.newBuilder()
                                .setContext(route.context())
                                .addMutations(mutation)
                                .setPrimaryLock(key)
                                .setStartVersion(start)
                                .setLockTtl(LOCK_TTL_MILLIS)
                                .setTxnSize(1)
                                .setTryOnePc(onePhase)
                                .setMinCommitTs(onePhase ? start + 1 : 0)
                                .build());
    }

    private CompletableFuture<Void> commit(ByteString key, long start) {
        return client.timestamp()
                .thenCompose(
                        commitTs ->
                                client.call(
                                        Command.COMMIT,
                                        stored(key),
                                        route ->
                                                CommitRequest.newBuilder()
                                                        .setContext(route.context())
                                                        .addKeys(key)
                                                        .setStartVersion(start)
                                                        .setCommitVersion(commitTs)
                                                        .build()))
                .thenCompose(
                        answer -> {
                            if (!answer.hasError()) {
                                return CompletableFuture.<Void>completedFuture(null);
                            } else if (answer.getError().hasCommitTsExpired()) {
                                // A reader pushed the lock; a later timestamp will do.
                                return commit(key, start);
                            }
                            throw failure(answer.getError());
                        });
    }

    private CompletableFuture<Optional<ByteString>> get(ByteString key, long version, int attempt) {
        return client.call(
                        Command.GET,
                        stored(key),
                        route ->
                                GetRequest.newBuilder()
                                        .setContext(route.context())
                                        .setKey(key)
                                        .setVersion(version)
                                        .build())
                .thenCompose(
                        answer -> {
                            if (answer.hasError()) {
                                return blocked(
                                        answer.getError(),
                                        attempt,
                                        () -> get(key, version, attempt + 1));
                            }
                            return CompletableFuture.completedFuture(
                                    answer.getNotFound()
                                            ? Optional.<ByteString>empty()
                                            : Optional.of(answer.getValue()));
                        });
    }

    /** Settles what stands in the way, then goes on. */
    private <T> CompletableFuture<T> blocked(
            KeyError error, int attempt, Supplier<CompletableFuture<T>> goOn) {
        if (attempt >= TRIES_MAX) {
            throw failure(error);
        } else if (error.hasLocked()) {
            return resolve(error.getLocked()).thenCompose(gone -> gone ? goOn.get() : later(goOn));
        } else if (error.hasConflict()) {
            return goOn.get();
        }
        throw failure(error);
    }

    /** True when the lock's transaction is over and the lock removed. */
    private CompletableFuture<Boolean> resolve(LockInfo lock) {
        return client.timestamp()
                .thenCompose(
                        now ->
                                client.call(
                                        Command.CHECK_TXN_STATUS,
                                        stored(lock.getPrimaryLock()),
                                        route ->
                                                CheckTxnStatusRequest.newBuilder()
                                                        .setContext(route.context())
                                                        .setPrimaryKey(lock.getPrimaryLock())
                                                        .setLockTs(lock.getLockVersion())
                                                        .setCallerStartTs(now)
                                                        .setCurrentTs(now)
                                                        .setRollbackIfNotExist(true)
                                                        .build()))
                .thenCompose(
                        status -> {
                            if (status.hasError()) {
                                throw failure(status.getError());
                            } else if (status.getLockTtl() > 0) {
                                return CompletableFuture.completedFuture(false);
                            }
                            return remove(lock, status.getCommitVersion());
                        });
    }

    private CompletableFuture<Boolean> remove(LockInfo lock, long commitVersion) {
        return client.call(
                        Command.RESOLVE_LOCK,
                        stored(lock.getKey()),
                        route ->
                                ResolveLockRequest.newBuilder()
                                        .setContext(route.context())
                                        .setStartVersion(lock.getLockVersion())
                                        .setCommitVersion(commitVersion)
                                        .addKeys(lock.getKey())
                                        .build())
                .thenApply(answer -> true);
    }

    private <T> CompletableFuture<T> later(Supplier<CompletableFuture<T>> goOn) {
        CompletableFuture<Void> pause = new CompletableFuture<>();
        client.scheduler().after(LOCK_PAUSE, () -> pause.complete(null));
        return pause.thenCompose(ignored -> goOn.get());
    }

    static KvFailure failure(KeyError error) {
        String kinds =
                error.getAllFields().keySet().stream()
                        .map(FieldDescriptor::getName)
                        .collect(Collectors.joining(", "));
        return new KvFailure("the transaction failed: " + kinds);
    }

    /** Regions are cut in the order of the stored form. */
    private static ByteString stored(ByteString key) {
        return ByteString.copyFrom(Memcomparable.encode(key.toByteArray()));
    }
}
