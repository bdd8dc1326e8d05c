package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.proto.kvrpcpb.BufferBatchGetRequest;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.FlushRequest;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A transaction whose writes go to the stores while it is still being made (pipelined DML): its
 * size is not bounded by anybody's memory. Thread-safe but for the order that the caller owes:
 * {@link #flush} in growing generations, then {@link #commit}, then {@link #resolve}.
 */
public final class LargeTxn {
    private static final long LOCK_TTL_MILLIS = 600_000;

    private final KvClient client;
    private final ByteString primary;
    private final long start;

    /**
     * A transaction that has written nothing yet.
     *
     * @param primary the key that decides it; one of those that are flushed
     * @param start a fresh timestamp
     */
    public LargeTxn(KvClient client, ByteString primary, long start) {
        this.client = client;
        this.primary = primary;
        this.start = start;
    }

    /** Locks the keys and stores their values; those of one generation differ from each other. */
    public CompletableFuture<Void> flush(long generation, List<KvPair> pairs) {
        if (pairs.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        List<KvPair> elsewhere = new ArrayList<>();
        return client.call(
                        Command.FLUSH,
                        stored(pairs.get(0).getKey()),
                        route -> part(route, generation, pairs, elsewhere))
                .thenCompose(
                        answer -> {
                            if (answer.getErrorsCount() > 0) {
                                throw TxnKv.failure(answer.getErrors(0));
                            }
                            return flush(generation, elsewhere);
                        });
    }

    private FlushRequest part(
            Route route, long generation, List<KvPair> pairs, List<KvPair> elsewhere) {
        elsewhere.clear();
        FlushRequest.Builder request =
                FlushRequest.newBuilder()
                        .setContext(route.context())
                        .setPrimaryKey(primary)
                        .setStartTs(start)
                        .setMinCommitTs(start + 1)
                        .setGeneration(generation)
                        .setLockTtl(LOCK_TTL_MILLIS);
        for (KvPair pair : pairs) {
            if (route.contains(stored(pair.getKey()))) {
                request.addMutations(
                        Mutation.newBuilder()
                                .setOp(Op.Put)
                                .setKey(pair.getKey())
                                .setValue(pair.getValue()));
            } else {
                elsewhere.add(pair);
            }
        }
        return request.build();
    }

    /** What the transaction itself has flushed for a key; no pair when it has not. */
    public CompletableFuture<List<KvPair>> flushed(ByteString key) {
        return client.call(
                        Command.BUFFER_BATCH_GET,
                        stored(key),
                        route ->
                                BufferBatchGetRequest.newBuilder()
                                        .setContext(route.context())
                                        .addKeys(key)
                                        .setVersion(start)
                                        .build())
                .thenApply(
                        answer -> {
                            if (answer.hasError()) {
                                throw TxnKv.failure(answer.getError());
                            }
                            return answer.getPairsList();
                        });
    }

    /** Commits the primary, and with it everything; the other keys stay locked. */
    public CompletableFuture<Long> commit() {
        return client.timestamp()
                .thenCompose(
                        commit ->
                                client.call(
                                                Command.COMMIT,
                                                stored(primary),
                                                route ->
                                                        CommitRequest.newBuilder()
                                                                .setContext(route.context())
                                                                .addKeys(primary)
                                                                .setStartVersion(start)
                                                                .setCommitVersion(commit)
                                                                .build())
                                        .thenApply(
                                                answer -> {
                                                    if (answer.hasError()) {
                                                        throw TxnKv.failure(answer.getError());
                                                    }
                                                    return commit;
                                                }));
    }

    /** Turns all locks from {@code first} to {@code last} into commits, region by region. */
    public CompletableFuture<Void> resolve(ByteString first, ByteString last, long commit) {
        return resolveFrom(stored(first), stored(last), commit);
    }

    private CompletableFuture<Void> resolveFrom(ByteString from, ByteString last, long commit) {
        ByteString[] end = {ByteString.EMPTY};
        return client.call(
                        Command.RESOLVE_LOCK,
                        from,
                        route -> {
                            end[0] = route.region().getEndKey();
                            return ResolveLockRequest.newBuilder()
                                    .setContext(route.context())
                                    .setStartVersion(start)
                                    .setCommitVersion(commit)
                                    .build();
                        })
                .thenCompose(
                        answer -> {
                            if (answer.hasError()) {
                                throw TxnKv.failure(answer.getError());
                            }
                            return end[0].isEmpty() || Route.compare(end[0], last) > 0
                                    ? CompletableFuture.<Void>completedFuture(null)
                                    : resolveFrom(end[0], last, commit);
                        });
    }

    private static ByteString stored(ByteString key) {
        return ByteString.copyFrom(Memcomparable.encode(key.toByteArray()));
    }
}
