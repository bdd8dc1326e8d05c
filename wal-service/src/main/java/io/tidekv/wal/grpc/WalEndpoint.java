package io.tidekv.wal.grpc;

import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.proto.wal.StatusRequest;
import io.tidekv.proto.wal.StatusResponse;
import io.tidekv.proto.wal.TailRequest;
import io.tidekv.proto.wal.TailResponse;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequests;
import io.tidekv.proto.wal.WalResponses;
import io.tidekv.wal.service.ServiceStatus;
import io.tidekv.wal.service.VoterService;
import io.tidekv.wal.storage.NodeIdentity;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The gRPC service of a WAL node. */
public final class WalEndpoint extends WalGrpc.WalImplBase {
    private final VoterService service;
    private final Supplier<NodeIdentity> ids;
    private final Supplier<@Nullable Executor> loop;

    /** {@code ids} tells who the node is at the moment; it is asked for every stream. */
    public WalEndpoint(VoterService service, Supplier<NodeIdentity> ids) {
        this(service, ids, () -> null);
    }

    /**
     * An endpoint whose callbacks may wait for the disk.
     *
     * @param loop runs a task on the calling thread, later; null on threads that must not wait
     */
    public WalEndpoint(
            VoterService service, Supplier<NodeIdentity> ids, Supplier<@Nullable Executor> loop) {
        this.service = service;
        this.ids = ids;
        this.loop = loop;
    }

    /** The service with its own decoding: fields of type {@code bytes} are views of the message. */
    public ServerServiceDefinition decoding() {
        return SessionDecoder.decoding(this);
    }

    @Override
    public StreamObserver<WalRequests> session(StreamObserver<WalResponses> responses) {
        return SessionStream.open(
                service, ids, loop, (ServerCallStreamObserver<WalResponses>) responses);
    }

    @Override
    public void tail(TailRequest request, StreamObserver<TailResponse> responses) {
        NodeIdentity now = ids.get();
        String refusal = refusal(now, request.getClusterId(), now.walId());
        if (refusal == null && (request.getRegionId() == 0 || request.getFromIndex() < 0)) {
            refusal = "the request must name a region and an index";
        }
        if (refusal != null) {
            responses.onError(
                    Status.FAILED_PRECONDITION.withDescription(refusal).asRuntimeException());
            return;
        }
        TailStream.open(service, request, (ServerCallStreamObserver<TailResponse>) responses);
    }

    @Override
    public void status(StatusRequest request, StreamObserver<StatusResponse> responses) {
        service.status()
                .thenAccept(
                        status -> {
                            responses.onNext(toWire(ids.get(), status));
                            responses.onCompleted();
                        });
    }

    private static StatusResponse toWire(NodeIdentity ids, ServiceStatus status) {
        return StatusResponse.newBuilder()
                .setClusterId(ids.clusterId())
                .setWalId(ids.walId())
                .setUuid(ids.uuid().toString())
                .setRegions(status.regions())
                .setSegments(status.storage().segments())
                .setSegmentBytes(status.storage().segmentBytes())
                .setAppends(status.appends())
                .setFsyncs(status.storage().syncs())
                .build();
    }

    /** Why a caller who means this cluster and node is at the wrong place; null when it is not. */
    static @Nullable String refusal(NodeIdentity ids, long clusterId, long walId) {
        if (!ids.registered()) {
            return "this WAL node is not registered at PD yet";
        } else if (ids.clusterId() != clusterId) {
            return "this WAL node belongs to cluster " + ids.clusterId() + ", not " + clusterId;
        } else if (ids.walId() != walId) {
            return "this is WAL node " + ids.walId() + ", not " + walId;
        }
        return null;
    }
}
