package io.tidekv.it.storm;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawGetResponse;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawPutResponse;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.tikvpb.TikvGrpc;
import io.tidekv.proto.tikvpb.TikvGrpc.TikvBlockingStub;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Calls that are made once and never repeated, so that it is known what became of each: a client
 * that repeats a write of unknown fate may write twice. For one thread.
 */
final class RawCalls implements AutoCloseable {
    private static final long TIMEOUT_MILLIS = 3_000;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

    private final Cluster cluster;
    private final Map<String, ManagedChannel> channels = new HashMap<>();
    private final Map<String, Route> routes = new HashMap<>();

    private record Route(Region region, Peer leader, String address) {}

    /**
     * How a call ended.
     *
     * @param answer null when there was none
     * @param mayHaveHappened whether it can have had an effect
     */
    record Outcome<A>(A answer, boolean mayHaveHappened) {}

    RawCalls(Cluster cluster) {
        this.cluster = cluster;
    }

    Outcome<RawGetResponse> get(String key) {
        return call(
                key,
                (stub, context) ->
                        stub.rawGet(
                                RawGetRequest.newBuilder()
                                        .setContext(context)
                                        .setKey(ByteString.copyFromUtf8(key))
                                        .build()),
                RawGetResponse::getRegionError,
                RawGetResponse::getError);
    }

    /** Puts what the request says, under {@code key}. */
    Outcome<RawPutResponse> put(String key, RawPutRequest.Builder request) {
        request.setKey(ByteString.copyFromUtf8(key));
        return call(
                key,
                (stub, context) -> stub.rawPut(request.setContext(context).build()),
                RawPutResponse::getRegionError,
                RawPutResponse::getError);
    }

    <A> Outcome<A> call(
            String key,
            BiFunction<TikvBlockingStub, Context, A> call,
            Function<A, Error> regionError,
            Function<A, String> error) {
        Route route = route(key);
        if (route == null) {
            LockSupport.parkNanos(PAUSE_NANOS);
            return new Outcome<>(null, false);
        }
        A answer;
        try {
            Context context =
                    Context.newBuilder()
                            .setRegionId(route.region.getId())
                            .setRegionEpoch(route.region.getRegionEpoch())
                            .setPeer(route.leader)
                            .build();
            answer =
                    call.apply(
                            TikvGrpc.newBlockingStub(channel(route.address))
                                    .withDeadlineAfter(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS),
                            context);
        } catch (StatusRuntimeException e) {
            routes.remove(key);
            Status.Code code = e.getStatus().getCode();
            if (code != Status.Code.UNAVAILABLE
                    && code != Status.Code.DEADLINE_EXCEEDED
                    && code != Status.Code.CANCELLED) {
                throw e;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
            return new Outcome<>(null, true);
        }
        Error refused = regionError.apply(answer);
        if (!refused.equals(Error.getDefaultInstance())) {
            routes.remove(key);
            LockSupport.parkNanos(PAUSE_NANOS);
            return new Outcome<>(null, refused.hasUndeterminedResult());
        }
        if (!error.apply(answer).isEmpty()) {
            throw new AssertionError(error.apply(answer));
        }
        return new Outcome<>(answer, true);
    }

    /** Null while PD does not know or does not answer. */
    private Route route(String key) {
        Route known = routes.get(key);
        if (known != null) {
            return known;
        }
        for (String pd : cluster.pdAddresses().split(",", -1)) {
            try {
                PDGrpc.PDBlockingStub stub =
                        PDGrpc.newBlockingStub(channel(pd))
                                .withDeadlineAfter(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
                RequestHeader header = header(pd);
                GetRegionResponse found =
                        stub.getRegion(
                                GetRegionRequest.newBuilder()
                                        .setHeader(header)
                                        .setRegionKey(ByteString.copyFromUtf8(key))
                                        .build());
                if (!found.hasRegion() || found.getLeader().getStoreId() == 0) {
                    continue;
                }
                String address =
                        stub.getStore(
                                        GetStoreRequest.newBuilder()
                                                .setHeader(header)
                                                .setStoreId(found.getLeader().getStoreId())
                                                .build())
                                .getStore()
                                .getAddress();
                Route route = new Route(found.getRegion(), found.getLeader(), address);
                routes.put(key, route);
                return route;
            } catch (StatusRuntimeException e) {
                // The next PD, or later.
            }
        }
        return null;
    }

    private RequestHeader header(String pd) {
        return RequestHeader.newBuilder()
                .setClusterId(
                        PDGrpc.newBlockingStub(channel(pd))
                                .withDeadlineAfter(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                                .getMembers(
                                        io.tidekv.proto.pdpb.GetMembersRequest.getDefaultInstance())
                                .getHeader()
                                .getClusterId())
                .build();
    }

    private ManagedChannel channel(String address) {
        return channels.computeIfAbsent(address, Cluster::plain);
    }

    @Override
    public void close() {
        channels.values().forEach(ManagedChannel::shutdownNow);
    }
}
