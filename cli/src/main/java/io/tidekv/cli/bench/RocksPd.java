package io.tidekv.cli.bench;

import io.grpc.stub.StreamObserver;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import io.tidekv.proto.metapb.Store;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.GetStoreResponse;
import io.tidekv.proto.pdpb.Member;
import io.tidekv.proto.pdpb.PDGrpc;

/** As much of PD as a client asks to find the one store of the one region. Thread-safe. */
final class RocksPd extends PDGrpc.PDImplBase {
    private static final Peer LEADER = Peer.newBuilder().setId(3).setStoreId(1).build();

    private volatile String address = "";

    /** Where the store is, and this. */
    void serveAt(String hostPort) {
        address = hostPort;
    }

    @Override
    public void getMembers(GetMembersRequest request, StreamObserver<GetMembersResponse> out) {
        Member member = Member.newBuilder().addClientUrls("http://" + address).build();
        answer(out, GetMembersResponse.newBuilder().addMembers(member).setLeader(member).build());
    }

    @Override
    public void getRegion(GetRegionRequest request, StreamObserver<GetRegionResponse> out) {
        Region region = Region.newBuilder().setId(2).addPeers(LEADER).build();
        answer(out, GetRegionResponse.newBuilder().setRegion(region).setLeader(LEADER).build());
    }

    @Override
    public void getStore(GetStoreRequest request, StreamObserver<GetStoreResponse> out) {
        Store store = Store.newBuilder().setId(1).setAddress(address).build();
        answer(out, GetStoreResponse.newBuilder().setStore(store).build());
    }

    private static <T> void answer(StreamObserver<T> out, T answer) {
        out.onNext(answer);
        out.onCompleted();
    }
}
