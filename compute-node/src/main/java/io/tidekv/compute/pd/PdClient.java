package io.tidekv.compute.pd;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.cluster.AskSplitRequest;
import io.tidekv.proto.cluster.AskSplitResponse;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.ClusterGrpc.ClusterFutureStub;
import io.tidekv.proto.cluster.JudgeMergeRequest;
import io.tidekv.proto.cluster.JudgeMergeResponse;
import io.tidekv.proto.cluster.RegisterStoreRequest;
import io.tidekv.proto.cluster.RegisterStoreResponse;
import io.tidekv.proto.cluster.ReportMergeRequest;
import io.tidekv.proto.cluster.ReportSplitRequest;
import io.tidekv.proto.cluster.ReportSplitResponse;
import io.tidekv.proto.pdpb.GetGCSafePointRequest;
import io.tidekv.proto.pdpb.GetGCSafePointResponse;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.GetStoreRequest;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.PDGrpc.PDFutureStub;
import io.tidekv.proto.pdpb.RequestHeader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** PD over gRPC. Calls go to the leader and are repeated while it changes, up to a deadline. */
public final class PdClient implements PdLink {
    private static final Duration ATTEMPT = Duration.ofMillis(1500);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final PdChannels channels;
    private final Clock clock;
    private final Scheduler scheduler;
    private final TsoClient timestamps;
    private volatile long clusterId;

    public PdClient(List<String> endpoints, Clock clock, Scheduler scheduler) {
        this.channels = new PdChannels(endpoints);
        this.clock = clock;
        this.scheduler = scheduler;
        this.timestamps = new TsoClient(channels, clock, scheduler);
    }

    @Override
    public RegisterStoreResponse register(RegisterStoreRequest request, Duration atMost) {
        CompletableFuture<RegisterStoreResponse> answer =
                call(stub -> stub.registerStore(request), "RegisterStore", atMost);
        try {
            RegisterStoreResponse response =
                    answer.get(atMost.toMillis() + ATTEMPT.toMillis(), TimeUnit.MILLISECONDS);
            clusterId = response.getClusterId();
            timestamps.cluster(clusterId);
            return response;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof PdException pd ? pd : new IllegalStateException(e);
        } catch (TimeoutException e) {
            throw PdException.unavailable("PD at " + channels.currentAddress() + " is silent");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw PdException.unavailable("interrupted while registering with PD");
        }
    }

    @Override
    public ReportStream openReports(ReportListener listener) {
        return GrpcReportStream.open(channels, listener);
    }

    @Override
    public CompletableFuture<AskSplitResponse> askSplit(AskSplitRequest request) {
        return call(stub -> stub.askSplit(request), "AskSplit", DEADLINE);
    }

    @Override
    public CompletableFuture<ReportSplitResponse> reportSplit(ReportSplitRequest request) {
        return call(stub -> stub.reportSplit(request), "ReportSplit", DEADLINE);
    }

    @Override
    public CompletableFuture<Void> reportMerge(ReportMergeRequest request) {
        return call(stub -> stub.reportMerge(request), "ReportMerge", DEADLINE)
                .thenApply(response -> null);
    }

    @Override
    public CompletableFuture<JudgeMergeResponse> judgeMerge(JudgeMergeRequest request) {
        return call(stub -> stub.judgeMerge(request), "JudgeMerge", DEADLINE);
    }

    /**
     * Timestamp below which old versions may be dropped; 0 while nobody has set one. One attempt.
     */
    public CompletableFuture<Long> gcSafePoint() {
        GetGCSafePointRequest request =
                GetGCSafePointRequest.newBuilder()
                        .setHeader(RequestHeader.newBuilder().setClusterId(clusterId))
                        .build();
        return once("GetGCSafePoint", stub -> stub.getGCSafePoint(request))
                .thenApply(GetGCSafePointResponse::getSafePoint);
    }

    /** The store that leads the region which holds a stored key. One attempt. */
    public CompletableFuture<Place> leaderOf(ByteString key) {
        RequestHeader header = RequestHeader.newBuilder().setClusterId(clusterId).build();
        GetRegionRequest where =
                GetRegionRequest.newBuilder().setHeader(header).setRegionKey(key).build();
        return once("GetRegion", stub -> stub.getRegion(where))
                .thenCompose(
                        region -> {
                            GetStoreRequest who =
                                    GetStoreRequest.newBuilder()
                                            .setHeader(header)
                                            .setStoreId(region.getLeader().getStoreId())
                                            .build();
                            return once("GetStore", stub -> stub.getStore(who));
                        })
                .thenApply(
                        found -> {
                            if (found.getStore().getAddress().isEmpty()) {
                                throw PdException.unavailable("the region has no leader now");
                            }
                            return new Place(
                                    found.getStore().getId(), found.getStore().getAddress());
                        });
    }

    private <T> CompletableFuture<T> once(
            String name, Function<PDFutureStub, ListenableFuture<T>> method) {
        ListenableFuture<T> answer =
                method.apply(
                        PDGrpc.newFutureStub(channels.current())
                                .withDeadlineAfter(ATTEMPT.toMillis(), TimeUnit.MILLISECONDS));
        CompletableFuture<T> result = new CompletableFuture<>();
        answer.addListener(
                () -> {
                    try {
                        result.complete(answer.get());
                    } catch (Exception e) {
                        String text = text(Status.fromThrowable(e));
                        result.completeExceptionally(PdException.unavailable(name + ": " + text));
                    }
                },
                GrpcTransports.callbacks());
        return result;
    }

    @Override
    public TimestampSource timestamps() {
        return timestamps;
    }

    @Override
    public void close() {
        timestamps.close();
        channels.close();
    }

    private <T> CompletableFuture<T> call(
            Function<ClusterFutureStub, ListenableFuture<T>> method, String name, Duration atMost) {
        CompletableFuture<T> result = new CompletableFuture<>();
        attempt(method, name, clock.monotonicNanos() + atMost.toNanos(), result);
        return result;
    }

    private <T> void attempt(
            Function<ClusterFutureStub, ListenableFuture<T>> method,
            String name,
            long deadlineNanos,
            CompletableFuture<T> result) {
        ManagedChannel channel = channels.current();
        ClusterFutureStub stub =
                ClusterGrpc.newFutureStub(channel)
                        .withDeadlineAfter(ATTEMPT.toMillis(), TimeUnit.MILLISECONDS);
        ListenableFuture<T> answer = method.apply(stub);
        answer.addListener(
                () -> {
                    try {
                        result.complete(answer.get());
                    } catch (Exception e) {
                        Status status = Status.fromThrowable(e);
                        if (!isPassing(status)) {
                            result.completeExceptionally(
                                    PdException.refused(name + ": " + text(status)));
                        } else if (clock.monotonicNanos() > deadlineNanos) {
                            result.completeExceptionally(
                                    PdException.unavailable(
                                            "PD does not answer "
                                                    + name
                                                    + ": "
                                                    + text(status)
                                                    + "; is pd.endpoints right and PD running?"));
                        } else {
                            channels.suspect(channel);
                            scheduler.after(
                                    PAUSE, () -> attempt(method, name, deadlineNanos, result));
                        }
                    }
                },
                GrpcTransports.callbacks());
    }

    /** Whether another attempt, perhaps at another member, can end differently. */
    static boolean isPassing(Status status) {
        return switch (status.getCode()) {
            case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, ABORTED, RESOURCE_EXHAUSTED, UNKNOWN ->
                    true;
            default -> false;
        };
    }

    static String text(Status status) {
        String description = status.getDescription();
        return description == null ? status.getCode().toString() : description;
    }
}
