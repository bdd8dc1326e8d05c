package io.tidekv.it;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.tidekv.common.codec.Memcomparable;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.KeyError;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/** Calls that the Java client does not have, in plain requests; for one thread. */
final class OtherClient implements AutoCloseable {
    private static final int ATTEMPTS = 50;
    private static final long LOCK_TTL_MS = 20_000;

    private final ManagedChannel pd;
    private final Playground playground;

    OtherClient(Playground playground) {
        this.playground = playground;
        pd = playground.channel(playground.pd());
    }

    /** Locks a key pessimistically for the transaction that began at {@code start}. */
    void lock(byte[] key, long start) {
        PessimisticLockRequest request =
                PessimisticLockRequest.newBuilder()
                        .addMutations(
                                Mutation.newBuilder()
                                        .setOp(Op.PessimisticLock)
                                        .setKey(ByteString.copyFrom(key)))
                        .setPrimaryLock(ByteString.copyFrom(key))
                        .setStartVersion(start)
                        .setForUpdateTs(start)
                        .setLockTtl(LOCK_TTL_MS)
                        .build();
        call(
                key,
                (stub, context) -> {
                    var answer =
                            stub.kvPessimisticLock(request.toBuilder().setContext(context).build());
                    return new Outcome(
                            answer.hasRegionError() ? answer.getRegionError() : null,
                            answer.getErrorsList());
                });
    }

    /** Gives the lock back. */
    void unlock(byte[] key, long start) {
        PessimisticRollbackRequest request =
                PessimisticRollbackRequest.newBuilder()
                        .addKeys(ByteString.copyFrom(key))
                        .setStartVersion(start)
                        .setForUpdateTs(start)
                        .build();
        call(
                key,
                (stub, context) -> {
                    var answer =
                            stub.kVPessimisticRollback(
                                    request.toBuilder().setContext(context).build());
                    return new Outcome(
                            answer.hasRegionError() ? answer.getRegionError() : null,
                            answer.getErrorsList());
                });
    }

    private record Outcome(Error regionError, List<KeyError> errors) {}

    /** Asks the owner, and PD again where that has changed meanwhile. */
    private void call(byte[] key, BiFunction<TikvGrpc.TikvBlockingStub, Context, Outcome> request) {
        ByteString stored = ByteString.copyFrom(Memcomparable.encode(key));
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            RegionInfo region = region(stored);
            ManagedChannel store = playground.channel(address(region));
            try {
                Outcome outcome =
                        request.apply(
                                TikvGrpc.newBlockingStub(store)
                                        .withDeadlineAfter(10, TimeUnit.SECONDS),
                                context(region));
                if (outcome.regionError() == null) {
                    if (!outcome.errors().isEmpty()) {
                        throw new IllegalStateException("refused: " + outcome.errors());
                    }
                    return;
                }
            } finally {
                store.shutdownNow();
            }
        }
        throw new IllegalStateException("no region took the request");
    }

    private RegionInfo region(ByteString stored) {
        var order = ByteString.unsignedLexicographicalComparator();
        return Splitter.regions(Playground.cluster(pd)).stream()
                .filter(
                        region -> {
                            ByteString end = region.getShape().getEndKey();
                            return order.compare(region.getShape().getStartKey(), stored) <= 0
                                    && (end.isEmpty() || order.compare(stored, end) < 0);
                        })
                .findFirst()
                .orElseThrow();
    }

    private String address(RegionInfo region) {
        for (var store : playground.ready().get("compute")) {
            if (store.get("id").asLong() == region.getOwner().getStoreId()) {
                return store.get("addr").asText();
            }
        }
        throw new IllegalStateException("PD names a store that nobody started");
    }

    private static Context context(RegionInfo region) {
        return Context.newBuilder()
                .setRegionId(region.getShape().getRegionId())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setVersion(region.getShape().getVersion())
                                .setConfVer(region.getShape().getConfVer()))
                .setPeer(
                        Peer.newBuilder()
                                .setId(region.getShape().getPeerId())
                                .setStoreId(region.getOwner().getStoreId()))
                .build();
    }

    @Override
    public void close() {
        pd.shutdownNow();
    }
}
