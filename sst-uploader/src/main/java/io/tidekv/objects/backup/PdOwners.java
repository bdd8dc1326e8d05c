package io.tidekv.objects.backup;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.objects.gc.CollectionStopped;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import io.tidekv.proto.pdpb.UpdateServiceGCSafePointRequest;
import io.tidekv.proto.states.RegionStatesGrpc;
import io.tidekv.proto.states.SettleRequest;
import io.tidekv.proto.states.SettleResponse;
import io.tidekv.proto.states.SettledRegion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;

/** The leader of PD, and the stores that it names, over gRPC. Belongs to one thread. */
public final class PdOwners implements Owners, AutoCloseable {
    private static final long PD_SECONDS = 10;
    private static final long STORE_SECONDS = 30;
    private static final int LOGICAL_BITS = 18;

    private final List<String> endpoints;
    private final ByteString holder;
    private final Map<String, ManagedChannel> channels = new HashMap<>();

    /**
     * @param endpoints host:port of members of PD, separated by commas
     */
    public PdOwners(String endpoints, Randomness randomness) {
        this.endpoints =
                List.of(endpoints.split(",")).stream()
                        .map(HostPort::ofUrl)
                        .filter(endpoint -> !endpoint.isEmpty())
                        .toList();
        this.holder = ByteString.copyFromUtf8("tidekv-backup-" + randomness.nextUuid());
    }

    /** The cluster that this PD belongs to. */
    public long clusterId() {
        return withLeader((channel, clusterId) -> clusterId);
    }

    /** Addresses of the stores that PD hears of. */
    public List<String> stores() {
        return withLeader(
                (channel, clusterId) ->
                        ClusterGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(PD_SECONDS, TimeUnit.SECONDS)
                                .listStores(ListStoresRequest.getDefaultInstance())
                                .getStoresList()
                                .stream()
                                .filter(store -> store.getState().equals("Up"))
                                .map(StoreInfo::getAddress)
                                .toList());
    }

    @Override
    public long timestamp() {
        return withLeader(PdOwners::timestamp);
    }

    private static long timestamp(ManagedChannel channel, long clusterId) {
        CompletableFuture<TsoResponse> answer = new CompletableFuture<>();
        StreamObserver<TsoRequest> requests =
                PDGrpc.newStub(channel)
                        .withDeadlineAfter(PD_SECONDS, TimeUnit.SECONDS)
                        .tso(new First<>(answer));
        requests.onNext(TsoRequest.newBuilder().setHeader(header(clusterId)).setCount(1).build());
        TsoResponse response = await(answer, PD_SECONDS);
        requests.onCompleted();
        if (response.getHeader().hasError()) {
            throw new CollectionStopped("PD: " + response.getHeader().getError().getMessage());
        }
        return (response.getTimestamp().getPhysical() << LOGICAL_BITS)
                + response.getTimestamp().getLogical();
    }

    @Override
    public boolean hold(long ts, Duration time) {
        return Long.compareUnsigned(safePoint(ts, time.toSeconds()), ts) <= 0;
    }

    @Override
    public void release() {
        safePoint(0, 0);
    }

    /** Sets this holder's barrier, or removes it; the transaction safe point that is in force. */
    private long safePoint(long ts, long ttlSeconds) {
        return withLeader(
                (channel, clusterId) ->
                        PDGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(PD_SECONDS, TimeUnit.SECONDS)
                                .updateServiceGCSafePoint(
                                        UpdateServiceGCSafePointRequest.newBuilder()
                                                .setHeader(header(clusterId))
                                                .setServiceId(holder)
                                                .setTTL(ttlSeconds)
                                                .setSafePoint(ts)
                                                .build())
                                .getMinSafePoint());
    }

    @Override
    public List<Owned> regions() {
        return withLeader((channel, clusterId) -> regions(channel));
    }

    private static List<Owned> regions(ManagedChannel channel) {
        ClusterGrpc.ClusterBlockingStub cluster =
                ClusterGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(PD_SECONDS, TimeUnit.SECONDS);
        Map<Long, String> addresses = new HashMap<>();
        for (StoreInfo store :
                cluster.listStores(ListStoresRequest.getDefaultInstance()).getStoresList()) {
            addresses.put(store.getOwner().getStoreId(), store.getAddress());
        }
        List<Owned> regions = new ArrayList<>();
        for (RegionInfo region :
                cluster.listRegions(ListRegionsRequest.getDefaultInstance()).getRegionsList()) {
            boolean led = region.getState() == RegionState.LEADING;
            regions.add(
                    new Owned(
                            region.getShape().getRegionId(),
                            region.getShape().getStartKey(),
                            region.getShape().getEndKey(),
                            led ? addresses.getOrDefault(region.getOwner().getStoreId(), "") : ""));
        }
        return regions;
    }

    @Override
    public List<Answer> settle(Map<String, List<Long>> byStore, long ts, boolean publish) {
        long clusterId = byStore.isEmpty() ? 0 : clusterId();
        Map<String, CompletableFuture<SettleResponse>> underWay = new LinkedHashMap<>();
        byStore.forEach(
                (address, regions) -> {
                    CompletableFuture<SettleResponse> answer = new CompletableFuture<>();
                    RegionStatesGrpc.newStub(channel(address))
                            .withDeadlineAfter(STORE_SECONDS, TimeUnit.SECONDS)
                            .settle(
                                    SettleRequest.newBuilder()
                                            .setClusterId(clusterId)
                                            .setTs(ts)
                                            .addAllRegionIds(regions)
                                            .setPublish(publish)
                                            .build(),
                                    new First<>(answer));
                    underWay.put(address, answer);
                });
        List<Answer> answers = new ArrayList<>();
        underWay.forEach((address, answer) -> collect(address, byStore, answer, answers));
        return answers;
    }

    private static void collect(
            String address,
            Map<String, List<Long>> byStore,
            CompletableFuture<SettleResponse> answer,
            List<Answer> answers) {
        try {
            for (SettledRegion region : await(answer, STORE_SECONDS).getRegionsList()) {
                answers.add(
                        new Answer(
                                region.getRegionId(),
                                region.getShape().getStartKey(),
                                region.getShape().getEndKey(),
                                region.hasRecord() ? region.getRecord() : null,
                                region.getError()));
            }
        } catch (StatusRuntimeException e) {
            String problem = "store " + address + ": " + e.getStatus();
            for (long region : byStore.getOrDefault(address, List.of())) {
                answers.add(new Answer(region, ByteString.EMPTY, ByteString.EMPTY, null, problem));
            }
        }
    }

    private static RequestHeader header(long clusterId) {
        return RequestHeader.newBuilder().setClusterId(clusterId).build();
    }

    private <T> T withLeader(BiFunction<ManagedChannel, Long, T> call) {
        Status last = Status.UNAVAILABLE;
        for (String endpoint : endpoints) {
            try {
                GetMembersResponse members =
                        PDGrpc.newBlockingStub(channel(endpoint))
                                .withDeadlineAfter(PD_SECONDS, TimeUnit.SECONDS)
                                .getMembers(GetMembersRequest.getDefaultInstance());
                if (members.getLeader().getClientUrlsCount() > 0) {
                    String leader = HostPort.ofUrl(members.getLeader().getClientUrls(0));
                    return call.apply(channel(leader), members.getHeader().getClusterId());
                }
            } catch (StatusRuntimeException e) {
                last = e.getStatus();
            }
        }
        throw new CollectionStopped(
                "PD at " + String.join(",", endpoints) + " does not answer: " + last);
    }

    private ManagedChannel channel(String address) {
        return channels.computeIfAbsent(address, at -> GrpcTransports.channel(at).build());
    }

    private static <T> T await(CompletableFuture<T> answer, long seconds) {
        try {
            return answer.get(seconds + 1, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw Status.fromThrowable(cause).asRuntimeException();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Status.CANCELLED.withDescription("interrupted").asRuntimeException();
        }
    }

    @Override
    public void close() {
        channels.values().forEach(ManagedChannel::shutdownNow);
    }

    /** Keeps the first answer of a call. */
    private record First<T>(CompletableFuture<T> answer) implements StreamObserver<T> {
        @Override
        public void onNext(T value) {
            answer.complete(value);
        }

        @Override
        public void onError(Throwable error) {
            answer.completeExceptionally(error);
        }

        @Override
        public void onCompleted() {
            answer.completeExceptionally(
                    Status.UNAVAILABLE.withDescription("no answer").asRuntimeException());
        }
    }
}
