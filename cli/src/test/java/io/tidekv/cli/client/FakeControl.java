package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListRegionsResponse;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.ListStoresResponse;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.ListWalResponse;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.MoveRegionResponse;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.cluster.RegionInfo;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.SetStoreModeRequest;
import io.tidekv.proto.cluster.SetStoreModeResponse;
import io.tidekv.proto.cluster.SetWalModeRequest;
import io.tidekv.proto.cluster.SetWalModeResponse;
import io.tidekv.proto.cluster.SplitRegionRequest;
import io.tidekv.proto.cluster.SplitRegionResponse;
import io.tidekv.proto.cluster.StoreInfo;
import io.tidekv.proto.cluster.WalNode;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;

/** PD's answers to {@code tidekv ctl}. */
final class FakeControl extends ClusterGrpc.ClusterImplBase {
    private NodeMode walMode = NodeMode.IN_SERVICE;
    private NodeMode storeMode = NodeMode.IN_SERVICE;
    private long walRegions = 2;

    @Override
    public void clusterStatus(ClusterStatusRequest q, StreamObserver<ClusterStatusResponse> to) {
        FakeCluster.answer(
                to,
                ClusterStatusResponse.newBuilder()
                        .setClusterId(-2)
                        .setSettings(ClusterSettings.newBuilder().setApiMode(2))
                        .setStoresUp(1)
                        .setStoresTotal(1)
                        .setWalUp(2)
                        .setWalTotal(3)
                        .setRegions(1)
                        .setRegionsServing(1)
                        .build());
    }

    @Override
    public void listStores(ListStoresRequest q, StreamObserver<ListStoresResponse> to) {
        FakeCluster.answer(
                to,
                ListStoresResponse.newBuilder()
                        .addStores(
                                StoreInfo.newBuilder()
                                        .setOwner(Owner.newBuilder().setStoreId(5))
                                        .setAddress("127.0.0.1:20160")
                                        .setMode(storeMode)
                                        .setState("Up"))
                        .build());
    }

    @Override
    public void listRegions(ListRegionsRequest q, StreamObserver<ListRegionsResponse> to) {
        ListRegionsResponse.Builder found = ListRegionsResponse.newBuilder();
        if (q.getRegionId() == 0 || q.getRegionId() == 7) {
            found.addRegions(
                    RegionInfo.newBuilder()
                            .setShape(
                                    RegionShape.newBuilder()
                                            .setRegionId(7)
                                            .setStartKey(ByteString.copyFromUtf8("m"))
                                            .setVersion(3)
                                            .setConfVer(2))
                            .setOwner(Owner.newBuilder().setStoreId(5).setIncarnation(9))
                            .setState(RegionState.LEADING)
                            .setApproximateBytes(2048));
        }
        FakeCluster.answer(to, found.build());
    }

    @Override
    public void listWal(ListWalRequest q, StreamObserver<ListWalResponse> to) {
        WalNode node =
                WalNode.newBuilder()
                        .setWalId(3)
                        .setState("Up")
                        .setMode(walMode)
                        .setRegions(walRegions)
                        .build();
        walRegions = walMode == NodeMode.DRAINING && walRegions > 0 ? walRegions - 1 : walRegions;
        FakeCluster.answer(to, ListWalResponse.newBuilder().addNodes(node).build());
    }

    @Override
    public void moveRegion(MoveRegionRequest q, StreamObserver<MoveRegionResponse> to) {
        if (q.getTargetStoreId() != 5) {
            to.onError(
                    Status.NOT_FOUND
                            .withDescription("there is no store " + q.getTargetStoreId())
                            .asRuntimeException());
            return;
        }
        FakeCluster.answer(to, MoveRegionResponse.newBuilder().setGapMs(12).build());
    }

    @Override
    public void splitRegion(SplitRegionRequest q, StreamObserver<SplitRegionResponse> to) {
        FakeCluster.answer(
                to,
                SplitRegionResponse.newBuilder()
                        .addRegionIds(q.getRegionId())
                        .addRegionIds(q.getKeys(0).byteAt(0))
                        .build());
    }

    @Override
    public void setWalMode(SetWalModeRequest q, StreamObserver<SetWalModeResponse> to) {
        if (q.getWalId() != 3) {
            to.onError(
                    Status.NOT_FOUND
                            .withDescription("no WAL node " + q.getWalId())
                            .asRuntimeException());
            return;
        }
        walMode = q.getMode();
        FakeCluster.answer(to, SetWalModeResponse.getDefaultInstance());
    }

    @Override
    public void setStoreMode(SetStoreModeRequest q, StreamObserver<SetStoreModeResponse> to) {
        storeMode = q.getMode();
        FakeCluster.answer(to, SetStoreModeResponse.getDefaultInstance());
    }
}
