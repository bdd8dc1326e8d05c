package io.tidekv.pd.grpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.schedule.Coordinator;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.cluster.ClusterStatusResponse;
import io.tidekv.proto.cluster.JudgeMergeRequest;
import io.tidekv.proto.cluster.JudgeMergeResponse;
import io.tidekv.proto.cluster.ListRegionsRequest;
import io.tidekv.proto.cluster.ListRegionsResponse;
import io.tidekv.proto.cluster.ListStoresRequest;
import io.tidekv.proto.cluster.ListStoresResponse;
import io.tidekv.proto.cluster.ListWalRequest;
import io.tidekv.proto.cluster.ListWalResponse;
import io.tidekv.proto.cluster.MergeRegionsRequest;
import io.tidekv.proto.cluster.MergeRegionsResponse;
import io.tidekv.proto.cluster.MoveRegionRequest;
import io.tidekv.proto.cluster.MoveRegionResponse;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.RegisterWalResponse;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportMergeResponse;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.cluster.ReportSplitResponse;
import io.tidekv.proto.cluster.SetStoreModeRequest;
import io.tidekv.proto.cluster.SetStoreModeResponse;
import io.tidekv.proto.cluster.SetWalModeRequest;
import io.tidekv.proto.cluster.SetWalModeResponse;
import io.tidekv.proto.cluster.SplitRegionRequest;
import io.tidekv.proto.cluster.SplitRegionResponse;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.cluster.WalHeartbeatRequest;
import io.tidekv.proto.cluster.WalHeartbeatResponse;
import io.tidekv.proto.pdstate.AddStore;
import io.tidekv.proto.pdstate.AddWal;
import io.tidekv.proto.pdstate.Command;
import io.tidekv.proto.pdstate.PrepareSplit;
import io.tidekv.proto.pdstate.RecordMerge;
import io.tidekv.proto.pdstate.RecordSplit;
import io.tidekv.proto.pdstate.VoterSet;
import io.tidekv.proto.region.Owner;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/** PD for compute nodes, WAL nodes and {@code tidekv ctl}. */
public final class ClusterService extends ClusterGrpc.ClusterImplBase {
    /** More are refused when the command is applied. */
    private static final int CHILDREN_MAX = 1024;

    private final StateLog log;
    private final Coordinator coordinator;
    private final ClusterPages pages;
    private final Splits splits;
    private final Merges merges;
    private final Guard guard;

    public ClusterService(
            StateLog log, Coordinator coordinator, ClusterPages pages, Splits splits) {
        this.log = log;
        this.coordinator = coordinator;
        this.pages = pages;
        this.splits = splits;
        this.merges = new Merges(log, coordinator.live());
        this.guard = new Guard(log);
    }

    @Override
    public void registerStore(
            RegisterStoreRequest request, StreamObserver<RegisterStoreResponse> call) {
        Answers.later(
                call,
                () -> {
                    guard.checkIfKnown(request.getClusterId());
                    Command command =
                            Command.newBuilder()
                                    .setAddStore(AddStore.newBuilder().setRequest(request))
                                    .build();
                    return log.submit(command)
                            .thenApply(
                                    Answers.accepted(
                                            result -> {
                                                long id = result.getStore().getStoreId();
                                                coordinator.registered(id);
                                                return registered(
                                                        id, result.getStore().getIncarnation());
                                            }));
                });
    }

    private RegisterStoreResponse registered(long storeId, long incarnation) {
        return RegisterStoreResponse.newBuilder()
                .setClusterId(log.read(PdState::clusterId))
                .setOwner(Owner.newBuilder().setStoreId(storeId).setIncarnation(incarnation))
                .setSettings(log.read(PdState::settings))
                .build();
    }

    @Override
    public void registerWal(RegisterWalRequest request, StreamObserver<RegisterWalResponse> call) {
        Answers.later(
                call,
                () -> {
                    guard.checkIfKnown(request.getClusterId());
                    Command command =
                            Command.newBuilder()
                                    .setAddWal(AddWal.newBuilder().setRequest(request))
                                    .build();
                    return log.submit(command)
                            .thenApply(
                                    Answers.accepted(
                                            result -> {
                                                long id = result.getWal().getWalId();
                                                coordinator.walSeen(id);
                                                return RegisterWalResponse.newBuilder()
                                                        .setClusterId(log.read(PdState::clusterId))
                                                        .setWalId(id)
                                                        .build();
                                            }));
                });
    }

    @Override
    public StreamObserver<StoreReport> storeSession(StreamObserver<StoreCommand> call) {
        return new StoreSessionStream(
                (ServerCallStreamObserver<StoreCommand>) call, coordinator, guard);
    }

    @Override
    public void walHeartbeat(
            WalHeartbeatRequest request, StreamObserver<WalHeartbeatResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.checkIfKnown(request.getClusterId());
                    coordinator.walSeen(request.getWalId());
                    pages.walSaid(request);
                    return WalHeartbeatResponse.getDefaultInstance();
                });
    }

    @Override
    public void askSplit(AskSplitRequest request, StreamObserver<AskSplitResponse> call) {
        Answers.later(
                call,
                () -> {
                    guard.checkIfKnown(request.getClusterId());
                    return coordinator
                            .voters(Math.min(request.getChildren(), CHILDREN_MAX))
                            .thenCompose(voters -> log.submit(prepareSplit(request, voters)))
                            .thenApply(Answers.accepted(r -> r.getSplitPrepared().getResponse()));
                });
    }

    private static Command prepareSplit(AskSplitRequest request, List<List<Long>> voters) {
        PrepareSplit.Builder order = PrepareSplit.newBuilder().setRequest(request);
        voters.forEach(v -> order.addVoters(VoterSet.newBuilder().addAllWalIds(v)));
        return Command.newBuilder().setPrepareSplit(order).build();
    }

    @Override
    public void reportSplit(ReportSplitRequest request, StreamObserver<ReportSplitResponse> call) {
        report(
                call,
                request.getClusterId(),
                Command.newBuilder().setRecordSplit(RecordSplit.newBuilder().setRequest(request)),
                () ->
                        ReportSplitResponse.newBuilder()
                                .addAllGoneRegionIds(merges.gone(request))
                                .build());
    }

    @Override
    public void reportMerge(ReportMergeRequest request, StreamObserver<ReportMergeResponse> call) {
        report(
                call,
                request.getClusterId(),
                Command.newBuilder().setRecordMerge(RecordMerge.newBuilder().setRequest(request)),
                ReportMergeResponse::getDefaultInstance);
    }

    /** Records what has become of regions, and has what follows from it done at once. */
    private <T> void report(
            StreamObserver<T> call, long clusterId, Command.Builder command, Supplier<T> answer) {
        Answers.later(
                call,
                () -> {
                    guard.checkIfKnown(clusterId);
                    return log.submit(command.build())
                            .thenApply(
                                    Answers.accepted(
                                            result -> {
                                                coordinator.poke();
                                                return answer.get();
                                            }));
                });
    }

    @Override
    public void judgeMerge(JudgeMergeRequest request, StreamObserver<JudgeMergeResponse> call) {
        Answers.later(
                call,
                () -> {
                    guard.checkIfKnown(request.getClusterId());
                    return merges.judge(request)
                            .thenApply(
                                    verdict -> {
                                        coordinator.poke();
                                        return JudgeMergeResponse.newBuilder()
                                                .setVerdict(verdict)
                                                .build();
                                    });
                });
    }

    @Override
    public void mergeRegions(
            MergeRegionsRequest request, StreamObserver<MergeRegionsResponse> call) {
        Answers.ordered(
                call,
                request.getTimeoutMs(),
                () -> {
                    merges.check(request.getSourceRegionId(), request.getTargetRegionId());
                    return coordinator
                            .merge(
                                    request.getSourceRegionId(),
                                    request.getTargetRegionId(),
                                    Duration.ofMillis(request.getTimeoutMs()))
                            .thenApply(gap -> MergeRegionsResponse.getDefaultInstance());
                });
    }

    @Override
    public void clusterStatus(
            ClusterStatusRequest request, StreamObserver<ClusterStatusResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.leading();
                    return pages.status();
                });
    }

    @Override
    public void listStores(ListStoresRequest request, StreamObserver<ListStoresResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.leading();
                    return pages.stores();
                });
    }

    @Override
    public void listRegions(ListRegionsRequest request, StreamObserver<ListRegionsResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.leading();
                    return pages.regions(request);
                });
    }

    @Override
    public void listWal(ListWalRequest request, StreamObserver<ListWalResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.leading();
                    return pages.walNodes();
                });
    }

    @Override
    public void moveRegion(MoveRegionRequest request, StreamObserver<MoveRegionResponse> call) {
        Answers.ordered(
                call,
                request.getTimeoutMs(),
                () ->
                        coordinator
                                .move(
                                        request.getRegionId(),
                                        request.getTargetStoreId(),
                                        Duration.ofMillis(request.getTimeoutMs()))
                                .thenApply(
                                        gap ->
                                                MoveRegionResponse.newBuilder()
                                                        .setGapMs(gap)
                                                        .build()));
    }

    @Override
    public void splitRegion(SplitRegionRequest request, StreamObserver<SplitRegionResponse> call) {
        Answers.ordered(
                call,
                request.getTimeoutMs(),
                () ->
                        splits.one(
                                        request.getRegionId(),
                                        request.getKeysList(),
                                        Duration.ofMillis(request.getTimeoutMs()))
                                .thenApply(
                                        ids ->
                                                SplitRegionResponse.newBuilder()
                                                        .addAllRegionIds(ids)
                                                        .build()));
    }

    @Override
    public void setWalMode(SetWalModeRequest request, StreamObserver<SetWalModeResponse> call) {
        Answers.later(
                call,
                () ->
                        log.submit(Command.newBuilder().setSetWalMode(request).build())
                                .thenApply(Answers.accepted(r -> r))
                                .thenCompose(r -> coordinator.modeChanged())
                                .thenApply(v -> SetWalModeResponse.getDefaultInstance()));
    }

    @Override
    public void setStoreMode(
            SetStoreModeRequest request, StreamObserver<SetStoreModeResponse> call) {
        Answers.later(
                call,
                () ->
                        log.submit(Command.newBuilder().setSetStoreMode(request).build())
                                .thenApply(Answers.accepted(r -> r))
                                .thenCompose(r -> coordinator.modeChanged())
                                .thenApply(v -> SetStoreModeResponse.getDefaultInstance()));
    }
}
