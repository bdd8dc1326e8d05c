package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.proto.kvrpcpb.KvPair;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Raw keys and values of the default keyspace, without transactions. Thread-safe. */
public final class RawKv {
    private final KvClient client;
    private final RawDialect dialect;

    public RawKv(KvClient client) {
        this.client = client;
        dialect = client.rawDialect();
    }

    /** Durable when the future completes. {@code ttlSeconds} 0 keeps the value for ever. */
    public CompletableFuture<Void> put(ByteString key, ByteString value, long ttlSeconds) {
        return client.call(
                        Command.RAW_PUT,
                        dialect.stored(dialect.sent(key)),
                        route ->
                                RawPutRequest.newBuilder()
                                        .setContext(dialect.context(route))
                                        .setKey(dialect.sent(key))
                                        .setValue(value)
                                        .setTtl(ttlSeconds)
                                        .build())
                .thenAccept(answer -> check(answer.getError()));
    }

    /** All pairs, those of one region at once; durable when the future completes. */
    public CompletableFuture<Void> putAll(List<KvPair> pairs) {
        if (pairs.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        List<KvPair> elsewhere = new ArrayList<>();
        return client.call(
                        Command.RAW_BATCH_PUT,
                        dialect.stored(dialect.sent(pairs.get(0).getKey())),
                        route -> batch(route, pairs, elsewhere))
                .thenCompose(
                        answer -> {
                            check(answer.getError());
                            return putAll(elsewhere);
                        });
    }

    private RawBatchPutRequest batch(Route route, List<KvPair> pairs, List<KvPair> elsewhere) {
        elsewhere.clear();
        RawBatchPutRequest.Builder request =
                RawBatchPutRequest.newBuilder().setContext(dialect.context(route));
        for (KvPair pair : pairs) {
            ByteString key = dialect.sent(pair.getKey());
            if (route.contains(dialect.stored(key))) {
                request.addPairs(pair.toBuilder().setKey(key));
            } else {
                elsewhere.add(pair);
            }
        }
        return request.build();
    }

    /** The value, or nothing. */
    public CompletableFuture<Optional<ByteString>> get(ByteString key) {
        return client.call(
                        Command.RAW_GET,
                        dialect.stored(dialect.sent(key)),
                        route ->
                                RawGetRequest.newBuilder()
                                        .setContext(dialect.context(route))
                                        .setKey(dialect.sent(key))
                                        .build())
                .thenApply(
                        answer -> {
                            check(answer.getError());
                            return answer.getNotFound()
                                    ? Optional.<ByteString>empty()
                                    : Optional.of(answer.getValue());
                        });
    }

    /** Deletes; a key that is not there is no error. */
    public CompletableFuture<Void> delete(ByteString key) {
        return client.call(
                        Command.RAW_DELETE,
                        dialect.stored(dialect.sent(key)),
                        route ->
                                RawDeleteRequest.newBuilder()
                                        .setContext(dialect.context(route))
                                        .setKey(dialect.sent(key))
                                        .build())
                .thenAccept(answer -> check(answer.getError()));
    }

    /** At most {@code limit} pairs in {@code [start, end)}, in order; empty end: no bound. */
    public CompletableFuture<List<KvPair>> scan(ByteString start, ByteString end, int limit) {
        return scan(dialect.sent(start), dialect.sentEnd(end), limit, new ArrayList<>());
    }

    private CompletableFuture<List<KvPair>> scan(
            ByteString start, ByteString end, int limit, List<KvPair> found) {
        ByteString[] regionEnd = {ByteString.EMPTY};
        return client.call(
                        Command.RAW_SCAN,
                        dialect.stored(start),
                        route -> {
                            regionEnd[0] = dialect.bound(route.region().getEndKey());
                            return RawScanRequest.newBuilder()
                                    .setContext(dialect.context(route))
                                    .setStartKey(start)
                                    .setEndKey(nearer(end, regionEnd[0]))
                                    .setLimit(limit - found.size())
                                    .build();
                        })
                .thenCompose(
                        answer -> {
                            answer.getKvsList().forEach(pair -> found.add(shown(pair)));
                            ByteString next = regionEnd[0];
                            boolean last =
                                    next.isEmpty()
                                            || (!end.isEmpty() && Route.compare(next, end) >= 0);
                            return found.size() >= limit || last
                                    ? CompletableFuture.completedFuture(found)
                                    : scan(next, end, limit, found);
                        });
    }

    private KvPair shown(KvPair pair) {
        return dialect == RawDialect.PLAIN
                ? pair
                : pair.toBuilder().setKey(dialect.user(pair.getKey())).build();
    }

    private static ByteString nearer(ByteString a, ByteString b) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.isEmpty() ? b : a;
        }
        return Route.compare(a, b) < 0 ? a : b;
    }

    private static void check(String error) {
        if (!error.isEmpty()) {
            throw new KvFailure(error);
        }
    }
}
