package io.tidekv.compute.pd;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.common.Invariants;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import org.jspecify.annotations.Nullable;

/**
 * A StoreSession over gRPC. Has no deadline as a whole: PD acknowledges each report, and the
 * reporter gives up a stream that stays silent.
 */
final class GrpcReportStream
        implements PdLink.ReportStream, ClientResponseObserver<StoreReport, StoreCommand> {
    private final PdChannels channels;
    private final ManagedChannel channel;
    private final PdLink.ReportListener listener;
    private @Nullable ClientCallStreamObserver<StoreReport> requests;
    private boolean over;

    private GrpcReportStream(PdChannels channels, PdLink.ReportListener listener) {
        this.channels = channels;
        this.channel = channels.current();
        this.listener = listener;
    }

    static GrpcReportStream open(PdChannels channels, PdLink.ReportListener listener) {
        GrpcReportStream stream = new GrpcReportStream(channels, listener);
        ClusterGrpc.newStub(stream.channel).storeSession(stream);
        return stream;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<StoreReport> stream) {
        synchronized (this) {
            requests = stream;
        }
    }

    @Override
    public boolean send(StoreReport report) {
        synchronized (this) {
            ClientCallStreamObserver<StoreReport> stream =
                    Invariants.present(requests, "call stream");
            if (over) {
                return false;
            }
            // Before the connection is up gRPC keeps the first report; further ones wait for it.
            if (!stream.isReady() && report.getSeq() > 1) {
                return false;
            }
            stream.onNext(report);
            return true;
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            if (!over) {
                over = true;
                // Not cancelled: what has been handed over shall still arrive.
                Invariants.present(requests, "call stream").onCompleted();
            }
        }
    }

    @Override
    public void onNext(StoreCommand command) {
        if (!isOver()) {
            listener.onCommand(command);
        }
    }

    @Override
    public void onError(Throwable error) {
        channels.suspect(channel);
        end(PdClient.text(Status.fromThrowable(error)));
    }

    @Override
    public void onCompleted() {
        channels.suspect(channel);
        end("PD has ended the stream");
    }

    private void end(String reason) {
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
        }
        listener.onEnd(reason);
    }

    private synchronized boolean isOver() {
        return over;
    }
}
