package io.tidekv.pd.grpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Members;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.tso.TsoService;
import io.tidekv.proto.metapb.Cluster;
import io.tidekv.proto.pdpb.AdvanceGCSafePointRequest;
import io.tidekv.proto.pdpb.AdvanceGCSafePointResponse;
import io.tidekv.proto.pdpb.AdvanceTxnSafePointRequest;
import io.tidekv.proto.pdpb.AdvanceTxnSafePointResponse;
import io.tidekv.proto.pdpb.AllocIDRequest;
import io.tidekv.proto.pdpb.AllocIDResponse;
import io.tidekv.proto.pdpb.BatchScanRegionsRequest;
import io.tidekv.proto.pdpb.BatchScanRegionsResponse;
import io.tidekv.proto.pdpb.DeleteGCBarrierRequest;
import io.tidekv.proto.pdpb.DeleteGCBarrierResponse;
import io.tidekv.proto.pdpb.GetAllStoresRequest;
import io.tidekv.proto.pdpb.GetAllStoresResponse;
import io.tidekv.proto.pdpb.GetClusterConfigRequest;
import io.tidekv.proto.pdpb.GetClusterConfigResponse;
import io.tidekv.proto.pdpb.GetClusterInfoRequest;
import io.tidekv.proto.pdpb.GetClusterInfoResponse;
import io.tidekv.proto.pdpb.GetDCLocationInfoRequest;
import io.tidekv.proto.pdpb.GetDCLocationInfoResponse;
import io.tidekv.proto.pdpb.GetExternalTimestampRequest;
import io.tidekv.proto.pdpb.GetExternalTimestampResponse;
import io.tidekv.proto.pdpb.GetGCSafePointRequest;
import io.tidekv.proto.pdpb.GetGCSafePointResponse;
import io.tidekv.proto.pdpb.GetGCStateRequest;
import io.tidekv.proto.pdpb.GetGCStateResponse;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.GetMembersResponse;
import io.tidekv.proto.pdpb.GetMinTSRequest;
import io.tidekv.proto.pdpb.GetMinTSResponse;
import io.tidekv.proto.pdpb.GetOperatorRequest;
import io.tidekv.proto.pdpb.GetOperatorResponse;
import io.tidekv.proto.pdpb.GetRegionByIDRequest;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetRegionResponse;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.GetStoreResponse;
import io.tidekv.proto.pdpb.IsBootstrappedRequest;
import io.tidekv.proto.pdpb.IsBootstrappedResponse;
import io.tidekv.proto.pdpb.IsSnapshotRecoveringRequest;
import io.tidekv.proto.pdpb.IsSnapshotRecoveringResponse;
import io.tidekv.proto.pdpb.LoadGlobalConfigRequest;
import io.tidekv.proto.pdpb.LoadGlobalConfigResponse;
import io.tidekv.proto.pdpb.Member;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.QueryRegionRequest;
import io.tidekv.proto.pdpb.QueryRegionResponse;
import io.tidekv.proto.pdpb.ReportMinResolvedTsRequest;
import io.tidekv.proto.pdpb.ReportMinResolvedTsResponse;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.ScanRegionsRequest;
import io.tidekv.proto.pdpb.ScanRegionsResponse;
import io.tidekv.proto.pdpb.ScatterRegionRequest;
import io.tidekv.proto.pdpb.ScatterRegionResponse;
import io.tidekv.proto.pdpb.ServiceMode;
import io.tidekv.proto.pdpb.SetExternalTimestampRequest;
import io.tidekv.proto.pdpb.SetExternalTimestampResponse;
import io.tidekv.proto.pdpb.SetGCBarrierRequest;
import io.tidekv.proto.pdpb.SetGCBarrierResponse;
import io.tidekv.proto.pdpb.SplitAndScatterRegionsRequest;
import io.tidekv.proto.pdpb.SplitAndScatterRegionsResponse;
import io.tidekv.proto.pdpb.SplitRegionsRequest;
import io.tidekv.proto.pdpb.SplitRegionsResponse;
import io.tidekv.proto.pdpb.StoreGlobalConfigRequest;
import io.tidekv.proto.pdpb.StoreGlobalConfigResponse;
import io.tidekv.proto.pdpb.SyncMaxTSRequest;
import io.tidekv.proto.pdpb.SyncMaxTSResponse;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import io.tidekv.proto.pdpb.UpdateGCSafePointRequest;
import io.tidekv.proto.pdpb.UpdateGCSafePointResponse;
import io.tidekv.proto.pdpb.UpdateServiceGCSafePointRequest;
import io.tidekv.proto.pdpb.UpdateServiceGCSafePointResponse;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * pdpb.PD as TiKV's clients use it: checks the caller, and hands over to the class that knows.
 * Methods that are not here answer UNIMPLEMENTED.
 */
public final class PdService extends PDGrpc.PDImplBase {
    private final StateLog log;
    private final Guard guard;
    private final GlobalConfigCalls globalConfig;
    private final Members members;
    private final TsoService tso;
    private final RegionCalls regions;
    private final StoreCalls stores;
    private final SafePointCalls safePoints;
    private final OperatorCalls operators;

    /** Everything that answers. */
    public PdService(
            StateLog log,
            Members members,
            Routing routing,
            TsoService tso,
            StoreCalls stores,
            SafePointCalls safePoints,
            OperatorCalls operators) {
        this.log = log;
        this.guard = new Guard(log);
        this.members = members;
        this.tso = tso;
        this.regions = new RegionCalls(routing, guard);
        this.stores = stores;
        this.safePoints = safePoints;
        this.operators = operators;
        this.globalConfig = new GlobalConfigCalls(log);
    }

    private <T> void now(RequestHeader header, StreamObserver<T> call, Supplier<T> answer) {
        Answers.now(
                call,
                () -> {
                    guard.check(header);
                    return answer.get();
                });
    }

    private <T> void later(
            RequestHeader header, StreamObserver<T> call, Supplier<CompletableFuture<T>> answer) {
        Answers.later(
                call,
                () -> {
                    guard.check(header);
                    return answer.get();
                });
    }

    @Override
    public void getMembers(GetMembersRequest request, StreamObserver<GetMembersResponse> call) {
        Answers.now(
                call,
                () -> {
                    io.tidekv.proto.pdstate.Member leader = members.leader();
                    if (leader == null || guard.header().getClusterId() == 0) {
                        throw new NotLeaderException("");
                    }
                    return GetMembersResponse.newBuilder()
                            .setHeader(guard.header())
                            .addAllMembers(members.all().stream().map(PdService::member).toList())
                            .setLeader(member(leader))
                            .setEtcdLeader(member(leader))
                            .build();
                });
    }

    private static Member member(io.tidekv.proto.pdstate.Member member) {
        return Member.newBuilder()
                .setName(member.getName())
                .setMemberId(member.getMemberId())
                .addAllClientUrls(member.getClientUrlsList())
                .addAllPeerUrls(member.getPeerUrlsList())
                .setBinaryVersion("v" + Members.VERSION)
                .setGitHash("tidekv")
                .build();
    }

    @Override
    public void getClusterInfo(
            GetClusterInfoRequest request, StreamObserver<GetClusterInfoResponse> call) {
        Answers.now(
                call,
                () ->
                        GetClusterInfoResponse.newBuilder()
                                .setHeader(guard.header())
                                .addServiceModes(ServiceMode.PD_SVC_MODE)
                                .build());
    }

    @Override
    public void getClusterConfig(
            GetClusterConfigRequest request, StreamObserver<GetClusterConfigResponse> call) {
        now(
                request.getHeader(),
                call,
                () ->
                        GetClusterConfigResponse.newBuilder()
                                .setHeader(guard.header())
                                .setCluster(
                                        Cluster.newBuilder()
                                                .setId(guard.header().getClusterId())
                                                .setMaxPeerCount(1))
                                .build());
    }

    @Override
    public void isBootstrapped(
            IsBootstrappedRequest request, StreamObserver<IsBootstrappedResponse> call) {
        now(
                request.getHeader(),
                call,
                () ->
                        IsBootstrappedResponse.newBuilder()
                                .setHeader(guard.header())
                                .setBootstrapped(log.read(s -> !s.regions().isEmpty()))
                                .build());
    }

    @Override
    public void isSnapshotRecovering(
            IsSnapshotRecoveringRequest request,
            StreamObserver<IsSnapshotRecoveringResponse> call) {
        now(
                request.getHeader(),
                call,
                () -> IsSnapshotRecoveringResponse.newBuilder().setHeader(guard.header()).build());
    }

    @Override
    public StreamObserver<TsoRequest> tso(StreamObserver<TsoResponse> call) {
        return new TsoStream((ServerCallStreamObserver<TsoResponse>) call, tso, guard);
    }

    @Override
    public void getMinTS(GetMinTSRequest request, StreamObserver<GetMinTSResponse> call) {
        later(
                request.getHeader(),
                call,
                () ->
                        tso.next(1)
                                .thenApply(
                                        ts ->
                                                GetMinTSResponse.newBuilder()
                                                        .setHeader(guard.header())
                                                        .setTimestamp(TsoStream.timestamp(ts))
                                                        .build()));
    }

    @Override
    public void allocID(AllocIDRequest request, StreamObserver<AllocIDResponse> call) {
        later(request.getHeader(), call, () -> stores.allocate(request));
    }

    @Override
    public void getStore(GetStoreRequest request, StreamObserver<GetStoreResponse> call) {
        now(request.getHeader(), call, () -> stores.get(request));
    }

    @Override
    public void getAllStores(
            GetAllStoresRequest request, StreamObserver<GetAllStoresResponse> call) {
        now(request.getHeader(), call, stores::all);
    }

    @Override
    public void getRegion(GetRegionRequest request, StreamObserver<GetRegionResponse> call) {
        now(request.getHeader(), call, () -> regions.byKey(request));
    }

    @Override
    public void getPrevRegion(GetRegionRequest request, StreamObserver<GetRegionResponse> call) {
        now(request.getHeader(), call, () -> regions.before(request));
    }

    @Override
    public void getRegionByID(
            GetRegionByIDRequest request, StreamObserver<GetRegionResponse> call) {
        now(request.getHeader(), call, () -> regions.byId(request));
    }

    @Override
    public void scanRegions(ScanRegionsRequest request, StreamObserver<ScanRegionsResponse> call) {
        now(request.getHeader(), call, () -> regions.scan(request));
    }

    @Override
    public void batchScanRegions(
            BatchScanRegionsRequest request, StreamObserver<BatchScanRegionsResponse> call) {
        now(request.getHeader(), call, () -> regions.scan(request));
    }

    @Override
    public StreamObserver<QueryRegionRequest> queryRegion(
            StreamObserver<QueryRegionResponse> call) {
        return new OneByOne<>(
                (ServerCallStreamObserver<QueryRegionResponse>) call,
                request -> {
                    guard.check(request.getHeader());
                    return CompletableFuture.completedFuture(regions.query(request));
                });
    }

    @Override
    public void scatterRegion(
            ScatterRegionRequest request, StreamObserver<ScatterRegionResponse> call) {
        later(request.getHeader(), call, () -> operators.scatter(request));
    }

    @Override
    public void getOperator(GetOperatorRequest request, StreamObserver<GetOperatorResponse> call) {
        later(request.getHeader(), call, () -> operators.get(request));
    }

    @Override
    public void splitRegions(
            SplitRegionsRequest request, StreamObserver<SplitRegionsResponse> call) {
        later(request.getHeader(), call, () -> operators.split(request));
    }

    @Override
    public void splitAndScatterRegions(
            SplitAndScatterRegionsRequest request,
            StreamObserver<SplitAndScatterRegionsResponse> call) {
        later(request.getHeader(), call, () -> operators.splitAndScatter(request));
    }

    @Override
    public void getGCSafePoint(
            GetGCSafePointRequest request, StreamObserver<GetGCSafePointResponse> call) {
        now(request.getHeader(), call, safePoints::gc);
    }

    @Override
    public void updateGCSafePoint(
            UpdateGCSafePointRequest request, StreamObserver<UpdateGCSafePointResponse> call) {
        later(request.getHeader(), call, () -> safePoints.update(request));
    }

    @Override
    public void updateServiceGCSafePoint(
            UpdateServiceGCSafePointRequest request,
            StreamObserver<UpdateServiceGCSafePointResponse> call) {
        later(request.getHeader(), call, () -> safePoints.updateService(request));
    }

    @Override
    public void getGCState(GetGCStateRequest request, StreamObserver<GetGCStateResponse> call) {
        now(request.getHeader(), call, () -> safePoints.state(request));
    }

    @Override
    public void advanceTxnSafePoint(
            AdvanceTxnSafePointRequest request, StreamObserver<AdvanceTxnSafePointResponse> call) {
        later(request.getHeader(), call, () -> safePoints.advance(request));
    }

    @Override
    public void advanceGCSafePoint(
            AdvanceGCSafePointRequest request, StreamObserver<AdvanceGCSafePointResponse> call) {
        later(request.getHeader(), call, () -> safePoints.advance(request));
    }

    @Override
    public void setGCBarrier(
            SetGCBarrierRequest request, StreamObserver<SetGCBarrierResponse> call) {
        later(request.getHeader(), call, () -> safePoints.set(request));
    }

    @Override
    public void deleteGCBarrier(
            DeleteGCBarrierRequest request, StreamObserver<DeleteGCBarrierResponse> call) {
        later(request.getHeader(), call, () -> safePoints.delete(request));
    }

    @Override
    public void getExternalTimestamp(
            GetExternalTimestampRequest request,
            StreamObserver<GetExternalTimestampResponse> call) {
        now(request.getHeader(), call, safePoints::external);
    }

    @Override
    public void setExternalTimestamp(
            SetExternalTimestampRequest request,
            StreamObserver<SetExternalTimestampResponse> call) {
        later(request.getHeader(), call, () -> safePoints.setExternal(request));
    }

    @Override
    public void storeGlobalConfig(
            StoreGlobalConfigRequest request, StreamObserver<StoreGlobalConfigResponse> call) {
        Answers.later(call, () -> globalConfig.store(request));
    }

    @Override
    public void loadGlobalConfig(
            LoadGlobalConfigRequest request, StreamObserver<LoadGlobalConfigResponse> call) {
        Answers.now(call, () -> globalConfig.load(request));
    }

    /** There are no data centres with timestamps of their own. */
    @Override
    public void getDCLocationInfo(
            GetDCLocationInfoRequest request, StreamObserver<GetDCLocationInfoResponse> call) {
        now(
                request.getHeader(),
                call,
                () -> GetDCLocationInfoResponse.newBuilder().setHeader(guard.header()).build());
    }

    /** As {@link #getDCLocationInfo}: nothing has to be brought into line. */
    @Override
    public void syncMaxTS(SyncMaxTSRequest request, StreamObserver<SyncMaxTSResponse> call) {
        now(
                request.getHeader(),
                call,
                () -> SyncMaxTSResponse.newBuilder().setHeader(guard.header()).build());
    }

    /** Accepted and not kept: the page of the resolved timestamp says that none is known. */
    @Override
    public void reportMinResolvedTS(
            ReportMinResolvedTsRequest request, StreamObserver<ReportMinResolvedTsResponse> call) {
        now(
                request.getHeader(),
                call,
                () -> ReportMinResolvedTsResponse.newBuilder().setHeader(guard.header()).build());
    }
}
