package io.tidekv.pd.server;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.region.Owner;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A store process over gRPC that obeys and reports after each order. */
final class TestStore implements StreamObserver<StoreCommand> {
    final Owner owner;
    final long clusterId;
    final List<StoreCommand> got = new CopyOnWriteArrayList<>();
    final Map<Long, RegionReport> regions = new ConcurrentHashMap<>();
    volatile Throwable error;
    private final StreamObserver<StoreReport> reports;
    private long seq;

    TestStore(ManagedChannel channel, String address) {
        RegisterStoreResponse response =
                ClusterGrpc.newBlockingStub(channel)
                        .registerStore(
                                RegisterStoreRequest.newBuilder()
                                        .setAddress(address)
                                        .setStatusAddress("127.0.0.1:1")
                                        .setVersion("8.5.5")
                                        .setApiMode(1)
                                        .build());
        owner = response.getOwner();
        clusterId = response.getClusterId();
        reports = ClusterGrpc.newStub(channel).storeSession(this);
        report();
    }

    static void registerWal(ManagedChannel channel, String uuid) {
        ClusterGrpc.newBlockingStub(channel)
                .registerWal(
                        RegisterWalRequest.newBuilder()
                                .setUuid(uuid)
                                .setAddress("127.0.0.1:2")
                                .build());
    }

    synchronized void report() {
        reports.onNext(
                StoreReport.newBuilder()
                        .setClusterId(clusterId)
                        .setOwner(owner)
                        .setSeq(++seq)
                        .setFull(true)
                        .addAllRegions(regions.values())
                        .build());
    }

    @Override
    public void onNext(StoreCommand command) {
        got.add(command);
        if (command.hasAssign()) {
            Assign assign = command.getAssign();
            regions.put(
                    assign.getShape().getRegionId(),
                    RegionReport.newBuilder()
                            .setShape(assign.getShape())
                            .setTerm(assign.getTerm())
                            .setConfig(assign.getConfig())
                            .setState(RegionState.LEADING)
                            .setApproximateBytes(3 << 20)
                            .build());
            report();
        } else if (command.hasMove()) {
            regions.computeIfPresent(
                    command.getMove().getRegionId(),
                    (id, r) -> r.toBuilder().setState(RegionState.RELEASED).build());
            report();
        } else if (command.hasRevoke()) {
            regions.remove(command.getRevoke().getRegionId());
        }
    }

    @Override
    public void onError(Throwable failure) {
        error = failure;
    }

    @Override
    public void onCompleted() {}
}
