package io.tidekv.wal.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.tidekv.proto.wal.TailRequest;
import io.tidekv.proto.wal.TailResponse;
import io.tidekv.wal.service.Tail;
import io.tidekv.wal.service.TailSink;
import io.tidekv.wal.service.VoterService;

/** One follower of a region's log. Entries are read from the log only when it takes them. */
final class TailStream implements TailSink {
    private final ServerCallStreamObserver<TailResponse> call;

    private TailStream(ServerCallStreamObserver<TailResponse> call) {
        this.call = call;
    }

    /** Takes over a new call. */
    static void open(
            VoterService service,
            TailRequest request,
            ServerCallStreamObserver<TailResponse> call) {
        Tail tail =
                service.tail(request.getRegionId(), request.getFromIndex(), new TailStream(call));
        call.setOnReadyHandler(tail::wake);
        call.setOnCancelHandler(tail::close);
    }

    @Override
    public boolean isReady() {
        return call.isReady() && !call.isCancelled();
    }

    @Override
    public void send(TailResponse response) {
        if (!call.isCancelled()) {
            call.onNext(response);
        }
    }

    @Override
    public void unknownRegion() {
        if (!call.isCancelled()) {
            call.onError(
                    Status.NOT_FOUND
                            .withDescription("the region is not known at this WAL node")
                            .asRuntimeException());
        }
    }
}
