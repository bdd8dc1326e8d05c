package io.tidekv.pd.grpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.tidekv.pd.log.StateLog;
import io.tidekv.pd.routing.Routing;
import io.tidekv.pd.schedule.Coordinator;
import io.tidekv.pd.schedule.OperatorRecord;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.GetOperatorRequest;
import io.tidekv.proto.pdpb.GetOperatorResponse;
import io.tidekv.proto.pdpb.OperatorStatus;
import io.tidekv.proto.pdpb.ScatterRegionRequest;
import io.tidekv.proto.pdpb.ScatterRegionResponse;
import io.tidekv.proto.pdpb.SplitAndScatterRegionsRequest;
import io.tidekv.proto.pdpb.SplitAndScatterRegionsResponse;
import io.tidekv.proto.pdpb.SplitRegionsRequest;
import io.tidekv.proto.pdpb.SplitRegionsResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Splitting and scattering as clients ask for it. */
public final class OperatorCalls {
    /** Clients wait for splits; their own deadlines are of this order. */
    private static final Duration SPLIT_AT_MOST = Duration.ofSeconds(20);

    private final Coordinator coordinator;
    private final Routing routing;
    private final Splits splits;
    private final Guard guard;

    public OperatorCalls(StateLog log, Coordinator coordinator, Routing routing, Splits splits) {
        this.coordinator = coordinator;
        this.routing = routing;
        this.splits = splits;
        this.guard = new Guard(log);
    }

    @SuppressWarnings("deprecation") // old clients name a single region
    CompletableFuture<ScatterRegionResponse> scatter(ScatterRegionRequest request) {
        boolean several = request.getRegionsIdCount() > 0;
        List<Long> ids = several ? request.getRegionsIdList() : List.of(request.getRegionId());
        for (long id : ids) {
            if (routing.byId(id) == null && several) {
                throw Status.UNKNOWN
                        .withDescription("[PD:region:ErrRegionNotFound]region " + id + " not found")
                        .asRuntimeException();
            } else if (routing.byId(id) == null) {
                return CompletableFuture.completedFuture(
                        ScatterRegionResponse.newBuilder()
                                .setHeader(
                                        guard.error(
                                                ErrorType.REGION_NOT_FOUND,
                                                "region " + id + " not found"))
                                .build());
            }
        }
        return coordinator
                .scatter(ids, request.getGroup())
                .thenApply(
                        failed ->
                                ScatterRegionResponse.newBuilder()
                                        .setHeader(guard.header())
                                        .setFinishedPercentage(percentage(ids, failed))
                                        .addAllFailedRegionsId(failed)
                                        .build());
    }

    private static long percentage(List<Long> all, List<Long> failed) {
        return all.isEmpty() ? 100 : 100L * (all.size() - failed.size()) / all.size();
    }

    CompletableFuture<GetOperatorResponse> get(GetOperatorRequest request) {
        return coordinator
                .operator(request.getRegionId())
                .thenApply(
                        found ->
                                found.map(this::operator)
                                        .orElseGet(
                                                () ->
                                                        GetOperatorResponse.newBuilder()
                                                                .setHeader(
                                                                        guard.error(
                                                                                ErrorType
                                                                                        .REGION_NOT_FOUND,
                                                                                "Not Found"))
                                                                .build()));
    }

    private GetOperatorResponse operator(OperatorRecord operator) {
        return GetOperatorResponse.newBuilder()
                .setHeader(guard.header())
                .setRegionId(operator.regionId())
                .setDesc(ByteString.copyFromUtf8(operator.description()))
                .setStatus(OperatorStatus.valueOf(operator.status()))
                .setKind(ByteString.copyFromUtf8("region"))
                .build();
    }

    CompletableFuture<SplitRegionsResponse> split(SplitRegionsRequest request) {
        return splits.many(request.getSplitKeysList(), SPLIT_AT_MOST)
                .thenApply(
                        outcome ->
                                SplitRegionsResponse.newBuilder()
                                        .setHeader(guard.header())
                                        .setFinishedPercentage(outcome.percentage())
                                        .addAllRegionsId(outcome.newRegions())
                                        .build());
    }

    CompletableFuture<SplitAndScatterRegionsResponse> splitAndScatter(
            SplitAndScatterRegionsRequest request) {
        return splits.many(request.getSplitKeysList(), SPLIT_AT_MOST)
                .thenCompose(
                        outcome ->
                                coordinator
                                        .scatter(outcome.newRegions(), request.getGroup())
                                        .thenApply(failed -> scattered(outcome, failed)));
    }

    private SplitAndScatterRegionsResponse scattered(Splits.Outcome outcome, List<Long> failed) {
        return SplitAndScatterRegionsResponse.newBuilder()
                .setHeader(guard.header())
                .setSplitFinishedPercentage(outcome.percentage())
                .setScatterFinishedPercentage(percentage(outcome.newRegions(), failed))
                .addAllRegionsId(outcome.newRegions())
                .build();
    }
}
