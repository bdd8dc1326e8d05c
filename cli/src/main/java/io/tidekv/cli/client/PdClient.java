package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.metapb.Store;
import io.tidekv.proto.pdpb.GetAllStoresRequest;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.GetStoreResponse;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.ResponseHeader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Calls to the leader of PD, found through any member. Blocking; thread-safe. A call that fails for
 * want of a leader is tried once more with the leader asked for anew.
 */
public final class PdClient implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 5;

    private final List<String> endpoints;
    private final Map<String, ManagedChannel> channels = new LinkedHashMap<>();
    private @Nullable Leader leader;

    private record Leader(ManagedChannel channel, String address, long clusterId) {}

    /**
     * A client that has not connected yet.
     *
     * @param endpoints host:port of members, separated by commas
     */
    public PdClient(String endpoints) {
        this.endpoints =
                List.of(endpoints.split(",")).stream()
                        .map(HostPort::ofUrl)
                        .filter(address -> !address.isEmpty())
                        .toList();
        if (this.endpoints.isEmpty()) {
            throw new KvFailure("no address of PD: give one with --pd HOST:PORT");
        }
    }

    /** Id of the cluster. */
    public long clusterId() {
        return leader().clusterId();
    }

    /** host:port of the leader. */
    public String leaderAddress() {
        return leader().address();
    }

    /** All stores, without those that are gone for good. */
    public List<Store> stores() {
        return call(
                channel ->
                        checked(
                                        stub(channel)
                                                .getAllStores(
                                                        GetAllStoresRequest.newBuilder()
                                                                .setHeader(header())
                                                                .setExcludeTombstoneStores(true)
                                                                .build()),
                                        r -> r.getHeader())
                                .getStoresList());
    }

    /** Whose {@code key} is now; null when PD does not know its region. */
    @Nullable Route route(ByteString key) {
        GetRegionRequest ask =
                GetRegionRequest.newBuilder().setHeader(header()).setRegionKey(key).build();
        GetRegionResponse found =
                call(channel -> checked(stub(channel).getRegion(ask), r -> r.getHeader()));
        if (!found.hasRegion()) {
            return null;
        }
        if (found.getLeader().getStoreId() == 0) {
            return new Route(found.getRegion(), found.getLeader(), "");
        }
        GetStoreRequest whose =
                GetStoreRequest.newBuilder()
                        .setHeader(header())
                        .setStoreId(found.getLeader().getStoreId())
                        .build();
        GetStoreResponse store =
                call(channel -> checked(stub(channel).getStore(whose), r -> r.getHeader()));
        return new Route(found.getRegion(), found.getLeader(), store.getStore().getAddress());
    }

    /** Calls of TideKV's own cluster service, with the deadline given. */
    public <T> T cluster(long timeoutMillis, Function<ClusterGrpc.ClusterBlockingStub, T> call) {
        return call(
                channel ->
                        call.apply(
                                ClusterGrpc.newBlockingStub(channel)
                                        .withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS)));
    }

    RequestHeader header() {
        return RequestHeader.newBuilder().setClusterId(clusterId()).build();
    }

    /** The leader's channel, for streams. */
    ManagedChannel leaderChannel() {
        return leader().channel();
    }

    /** The leader is asked for anew at the next call. */
    synchronized void forgetLeader() {
        leader = null;
    }

    private <T> T call(Function<ManagedChannel, T> call) {
        try {
            return call.apply(leader().channel());
        } catch (StatusRuntimeException e) {
            if (!mayBeAnotherLeader(e.getStatus())) {
                throw e;
            }
            forgetLeader();
            return call.apply(leader().channel());
        }
    }

    private static boolean mayBeAnotherLeader(Status status) {
        return status.getCode() == Status.Code.UNAVAILABLE
                || status.getCode() == Status.Code.FAILED_PRECONDITION;
    }

    private static <T> T checked(T response, Function<T, ResponseHeader> header) {
        ResponseHeader h = header.apply(response);
        if (h.hasError()) {
            throw Status.UNAVAILABLE
                    .withDescription("PD: " + h.getError().getMessage())
                    .asRuntimeException();
        }
        return response;
    }

    private static PDGrpc.PDBlockingStub stub(ManagedChannel channel) {
        return PDGrpc.newBlockingStub(channel).withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    private synchronized Leader leader() {
        if (leader != null) {
            return leader;
        }
        StatusRuntimeException last = null;
        for (String endpoint : endpoints) {
            try {
                ManagedChannel asked = channel(endpoint);
                GetMembersResponse members =
                        checked(
                                stub(asked).getMembers(GetMembersRequest.getDefaultInstance()),
                                r -> r.getHeader());
                if (members.getLeader().getClientUrlsCount() > 0) {
                    String address = HostPort.ofUrl(members.getLeader().getClientUrls(0));
                    leader =
                            new Leader(
                                    channel(address), address, members.getHeader().getClusterId());
                    return leader;
                }
            } catch (StatusRuntimeException e) {
                last = e;
            }
        }
        String cause =
                last == null
                        ? "PD has no leader yet"
                        : String.valueOf(last.getStatus().getDescription());
        throw Status.UNAVAILABLE
                .withDescription("PD at " + String.join(",", endpoints) + ": " + cause)
                .withCause(last)
                .asRuntimeException();
    }

    private ManagedChannel channel(String address) {
        return channels.computeIfAbsent(address, a -> GrpcTransports.channel(a).build());
    }

    @Override
    public synchronized void close() {
        channels.values().forEach(ManagedChannel::shutdownNow);
    }
}
