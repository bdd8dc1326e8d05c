package io.tidekv.compute.server;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.tidekv.common.config.Settings;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.pd.server.PdConfig;
import io.tidekv.pd.server.PdServer;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.Mutation;
import io.tidekv.proto.kvrpcpb.Op;
import io.tidekv.proto.kvrpcpb.PessimisticLockRequest;
import io.tidekv.proto.kvrpcpb.PessimisticLockResponse;
import io.tidekv.proto.kvrpcpb.PessimisticRollbackRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.tikvpb.TikvGrpc;
import io.tidekv.wal.server.WalConfig;
import io.tidekv.wal.server.WalServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** A whole cluster of real servers in this process, and a simple client of it. */
final class ServerCluster implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path folder;
    private final Map<String, ManagedChannel> channels = new LinkedHashMap<>();
    private final List<WalServer> wal = new ArrayList<>();
    private PdServer pd;
    private int pdPort;

    ServerCluster(Path folder) throws IOException {
        this.folder = folder;
        startStorage();
    }

    /** PD and three WAL nodes, at their former ports if they ran before. */
    void startStorage() throws IOException {
        pd =
                PdServer.start(
                        load(
                                PdConfig.class,
                                "data-dir",
                                folder.resolve("pd").toString(),
                                "client-urls",
                                "http://127.0.0.1:" + pdPort,
                                "peer-urls",
                                "http://127.0.0.1:0",
                                "pd-server.api-version",
                                "1"));
        pdPort = pd.port();
        for (int i = 0; i < 3; i++) {
            wal.add(
                    WalServer.start(
                            load(
                                    WalConfig.class,
                                    "addr",
                                    "127.0.0.1:0",
                                    "status-addr",
                                    "",
                                    "pd-endpoints",
                                    pdAddress(),
                                    "data-dir",
                                    folder.resolve("wal-" + i).toString())));
        }
    }

    void stopStorage() {
        wal.forEach(WalServer::close);
        wal.clear();
        pd.close();
    }

    String pdAddress() {
        return "127.0.0.1:" + pdPort;
    }

    /** Settings of a store with a folder of its own. */
    ComputeConfig config(String name, String... more) {
        List<String> settings = new ArrayList<>();
        settings.addAll(
                List.of(
                        "addr",
                        "127.0.0.1:0",
                        "status-addr",
                        "127.0.0.1:0",
                        "pd.endpoints",
                        pdAddress(),
                        "data-dir",
                        folder.resolve(name).toString(),
                        "object-store",
                        "file:" + folder.resolve("objects")));
        settings.addAll(List.of(more));
        return load(ComputeConfig.class, settings.toArray(String[]::new));
    }

    private static <T extends Record> T load(Class<T> type, String... settings) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            map.put(settings[i], settings[i + 1]);
        }
        return Settings.load(type, null, map);
    }

    ClusterGrpc.ClusterBlockingStub cluster() {
        return ClusterGrpc.newBlockingStub(channel(pdAddress()))
                .withDeadlineAfter(20, TimeUnit.SECONDS);
    }

    private ManagedChannel channel(String address) {
        return channels.computeIfAbsent(address, a -> GrpcTransports.channel(a).build());
    }

    List<RegionInfo> regions() {
        return cluster().listRegions(ListRegionsRequest.getDefaultInstance()).getRegionsList();
    }

    /** The region of a key once some store serves it. */
    private RegionInfo locate(String key) {
        ByteString at = ByteString.copyFromUtf8(key);
        for (RegionInfo region : regions()) {
            ByteString end = region.getShape().getEndKey();
            boolean inside =
                    compare(region.getShape().getStartKey(), at) <= 0
                            && (end.isEmpty() || compare(at, end) < 0);
            if (inside && region.getState() == RegionState.LEADING) {
                return region;
            }
        }
        return null;
    }

    private static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }

    private TikvGrpc.TikvBlockingStub store(RegionInfo region) {
        for (StoreInfo store :
                cluster().listStores(ListStoresRequest.getDefaultInstance()).getStoresList()) {
            if (store.getOwner().getStoreId() == region.getOwner().getStoreId()) {
                return TikvGrpc.newBlockingStub(channel(store.getAddress()))
                        .withDeadlineAfter(5, TimeUnit.SECONDS);
            }
        }
        throw new IllegalStateException("no store for " + region);
    }

    private static Context context(RegionInfo region) {
        return Context.newBuilder()
                .setRegionId(region.getShape().getRegionId())
                .setRegionEpoch(
                        RegionEpoch.newBuilder()
                                .setConfVer(region.getShape().getConfVer())
                                .setVersion(region.getShape().getVersion()))
                .setPeer(
                        Peer.newBuilder()
                                .setId(region.getShape().getPeerId())
                                .setStoreId(region.getOwner().getStoreId()))
                .build();
    }

    void put(String key, String value) {
        served(
                key,
                (store, context) ->
                        store.rawPut(
                                RawPutRequest.newBuilder()
                                        .setContext(context)
                                        .setKey(ByteString.copyFromUtf8(key))
                                        .setValue(ByteString.copyFromUtf8(value))
                                        .build()),
                answer -> !answer.hasRegionError() && answer.getError().isEmpty());
    }

    /**
     * Locks a key as a client does that asks again after each wait, until the lock is there or the
     * answer is another error.
     */
    PessimisticLockResponse lock(long txn, String key) {
        ByteString name = ByteString.copyFromUtf8(key);
        return served(
                key,
                (store, context) ->
                        store.kvPessimisticLock(
                                PessimisticLockRequest.newBuilder()
                                        .setContext(context)
                                        .addMutations(
                                                Mutation.newBuilder()
                                                        .setOp(Op.PessimisticLock)
                                                        .setKey(name))
                                        .setPrimaryLock(name)
                                        .setStartVersion(txn)
                                        .setForUpdateTs(txn)
                                        .setLockTtl(100_000)
                                        .build()),
                answer ->
                        !answer.hasRegionError()
                                && (answer.getErrorsCount() == 0
                                        || !answer.getErrors(0).hasLocked()));
    }

    void unlock(long txn, String key) {
        served(
                key,
                (store, context) ->
                        store.kVPessimisticRollback(
                                PessimisticRollbackRequest.newBuilder()
                                        .setContext(context)
                                        .addKeys(ByteString.copyFromUtf8(key))
                                        .setStartVersion(txn)
                                        .setForUpdateTs(txn)
                                        .build()),
                answer -> !answer.hasRegionError());
    }

    /** The value, or null. */
    String get(String key) {
        RawGetResponse found =
                served(
                        key,
                        (store, context) ->
                                store.rawGet(
                                        RawGetRequest.newBuilder()
                                                .setContext(context)
                                                .setKey(ByteString.copyFromUtf8(key))
                                                .build()),
                        answer -> !answer.hasRegionError() && answer.getError().isEmpty());
        return found.getNotFound() ? null : found.getValue().toStringUtf8();
    }

    /** Asks as a client that tries again while it is told to look elsewhere. */
    private <A> A served(
            String key,
            BiFunction<TikvGrpc.TikvBlockingStub, Context, A> call,
            Predicate<A> isServed) {
        AtomicReference<A> answer = new AtomicReference<>();
        await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions()
                .until(
                        () -> {
                            RegionInfo region = locate(key);
                            if (region == null) {
                                return false;
                            }
                            answer.set(call.apply(store(region), context(region)));
                            return isServed.test(answer.get());
                        });
        return answer.get();
    }

    @Override
    public void close() {
        channels.values().forEach(ManagedChannel::shutdownNow);
        stopStorage();
    }
}
