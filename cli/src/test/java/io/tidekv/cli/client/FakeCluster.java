package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.metapb.Store;
import io.tidekv.proto.pdpb.GetAllStoresRequest;
import io.tidekv.proto.pdpb.GetAllStoresResponse;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.GetStoreResponse;
import io.tidekv.proto.pdpb.Member;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import java.io.IOException;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** PD and a store with two regions, split at "m", on a free port. */
public final class FakeCluster implements AutoCloseable {
    static final long CLUSTER = 77;
    static final long STORE = 5;
    static final ByteString MIDDLE = ByteString.copyFromUtf8("m");

    final AtomicLong version = new AtomicLong(1);
    final AtomicInteger tsoRequests = new AtomicInteger();
    final AtomicInteger refusedStreams = new AtomicInteger();
    final AtomicInteger brokenStreams = new AtomicInteger();
    final AtomicInteger routeRequests = new AtomicInteger();
    final FakeStore store = new FakeStore(this);

    private final AtomicLong timestamp = new AtomicLong(1L << 30);
    private final Server server;

    public FakeCluster() throws IOException {
        server =
                GrpcTransports.server(HostPort.parse("127.0.0.1:0"))
                        .addService(new Pd())
                        .addService(store)
                        .addService(new FakeControl())
                        .build()
                        .start();
    }

    public String address() {
        return "127.0.0.1:" + server.getPort();
    }

    /** Keys and values of both regions. */
    public TreeMap<ByteString, ByteString> data() {
        return store.data;
    }

    Region regionOf(ByteString key) {
        boolean left = Route.compare(key, MIDDLE) < 0;
        Region.Builder region = Region.newBuilder().setId(left ? 1 : 2);
        region.setRegionEpoch(RegionEpoch.newBuilder().setVersion(version.get()).setConfVer(1));
        region.addPeers(peer(left));
        return left ? region.setEndKey(MIDDLE).build() : region.setStartKey(MIDDLE).build();
    }

    private static Peer peer(boolean left) {
        return Peer.newBuilder().setId(left ? 11 : 12).setStoreId(STORE).build();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    static <T> void answer(StreamObserver<T> to, T value) {
        to.onNext(value);
        to.onCompleted();
    }

    /** Of a call that has been refused. */
    private static final class Ignored<T> implements StreamObserver<T> {
        @Override
        public void onNext(T value) {}

        @Override
        public void onError(Throwable t) {}

        @Override
        public void onCompleted() {}
    }

    private final class Pd extends PDGrpc.PDImplBase {
        @Override
        public void getMembers(GetMembersRequest ask, StreamObserver<GetMembersResponse> to) {
            Member me = Member.newBuilder().addClientUrls("http://" + address()).build();
            GetMembersResponse.Builder members = GetMembersResponse.newBuilder().setLeader(me);
            members.getHeaderBuilder().setClusterId(CLUSTER);
            answer(to, members.build());
        }

        @Override
        public void getRegion(GetRegionRequest ask, StreamObserver<GetRegionResponse> to) {
            routeRequests.incrementAndGet();
            if (ask.getHeader().getClusterId() != CLUSTER) {
                to.onError(Status.FAILED_PRECONDITION.asRuntimeException());
                return;
            }
            Region region = regionOf(ask.getRegionKey());
            answer(
                    to,
                    GetRegionResponse.newBuilder()
                            .setRegion(region)
                            .setLeader(region.getPeers(0))
                            .build());
        }

        @Override
        public void getStore(GetStoreRequest ask, StreamObserver<GetStoreResponse> to) {
            answer(to, GetStoreResponse.newBuilder().setStore(info()).build());
        }

        @Override
        public void getAllStores(GetAllStoresRequest ask, StreamObserver<GetAllStoresResponse> to) {
            answer(to, GetAllStoresResponse.newBuilder().addStores(info()).build());
        }

        private Store info() {
            return Store.newBuilder().setId(STORE).setAddress(address()).build();
        }

        @Override
        public StreamObserver<TsoRequest> tso(StreamObserver<TsoResponse> to) {
            if (refusedStreams.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                to.onError(Status.UNAVAILABLE.asRuntimeException());
                return new Ignored<>();
            }
            return new StreamObserver<>() {
                @Override
                public void onNext(TsoRequest ask) {
                    tsoRequests.incrementAndGet();
                    if (brokenStreams.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                        to.onError(Status.UNAVAILABLE.asRuntimeException());
                        return;
                    }
                    long last = timestamp.addAndGet(ask.getCount());
                    TsoResponse.Builder given = TsoResponse.newBuilder().setCount(ask.getCount());
                    given.getTimestampBuilder()
                            .setPhysical(last >> Timestamps.LOGICAL_BITS)
                            .setLogical(last & ((1L << Timestamps.LOGICAL_BITS) - 1));
                    to.onNext(given.build());
                }

                @Override
                public void onError(Throwable t) {}

                @Override
                public void onCompleted() {
                    to.onCompleted();
                }
            };
        }
    }
}
