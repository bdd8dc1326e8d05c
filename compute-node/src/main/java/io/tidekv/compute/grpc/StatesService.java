package io.tidekv.compute.grpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.service.Futures;
import io.tidekv.compute.service.MomentService;
import io.tidekv.compute.service.MomentService.Settled;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.states.RegionStatesGrpc;
import io.tidekv.proto.states.SettleRequest;
import io.tidekv.proto.states.SettleResponse;
import io.tidekv.proto.states.SettledRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** tidekv.states.RegionStates: for who makes a backup. Thread-safe. */
final class StatesService extends RegionStatesGrpc.RegionStatesImplBase {
    private static final int REGIONS_MAX = 256;

    private final MomentService moments;
    private final long clusterId;

    StatesService(MomentService moments, long clusterId) {
        this.moments = moments;
        this.clusterId = clusterId;
    }

    @Override
    public void settle(SettleRequest request, StreamObserver<SettleResponse> out) {
        if (request.getClusterId() != clusterId) {
            out.onError(
                    Status.FAILED_PRECONDITION
                            .withDescription(
                                    "this store belongs to cluster "
                                            + Long.toUnsignedString(clusterId))
                            .asRuntimeException());
            return;
        }
        if (request.getTs() == 0 || request.getRegionIdsCount() > REGIONS_MAX) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription(
                                    "give a timestamp, and at most " + REGIONS_MAX + " regions")
                            .asRuntimeException());
            return;
        }
        List<CompletableFuture<SettledRegion>> regions = new ArrayList<>();
        for (long id : request.getRegionIdsList()) {
            regions.add(
                    moments.settle(id, request.getTs(), request.getPublish())
                            .handle((settled, error) -> answer(id, settled, error)));
        }
        CompletableFuture.allOf(regions.toArray(CompletableFuture[]::new))
                .thenRun(
                        () -> {
                            SettleResponse.Builder all = SettleResponse.newBuilder();
                            regions.forEach(each -> all.addRegions(each.join()));
                            out.onNext(all.build());
                            out.onCompleted();
                        });
    }

    private static SettledRegion answer(
            long id, @Nullable Settled settled, @Nullable Throwable error) {
        SettledRegion.Builder answer = SettledRegion.newBuilder().setRegionId(id);
        if (settled == null) {
            String reason = error == null ? "no answer" : Futures.unwrap(error).getMessage();
            return answer.setError(String.valueOf(reason)).build();
        }
        ObjectRef record = settled.record();
        answer.setShape(settled.shape());
        return record == null ? answer.build() : answer.setRecord(record).build();
    }
}
