package io.tidekv.compute.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.proto.compaction.CompactionJob;
import io.tidekv.proto.compaction.CompactionsGrpc;
import io.tidekv.proto.compaction.WorkerMessage;
import org.jspecify.annotations.Nullable;

/** tidekv.compaction.Compactions: workers come, get jobs, and bring results. Thread-safe. */
public final class CompactionsService extends CompactionsGrpc.CompactionsImplBase {
    private final CompactionBoard board;
    private final long clusterId;

    public CompactionsService(CompactionBoard board, long clusterId) {
        this.board = board;
        this.clusterId = clusterId;
    }

    @Override
    public StreamObserver<WorkerMessage> work(StreamObserver<CompactionJob> out) {
        Stream stream = new Stream((ServerCallStreamObserver<CompactionJob>) out);
        stream.out.setOnCancelHandler(stream::leave);
        return stream;
    }

    private final class Stream implements StreamObserver<WorkerMessage> {
        private final ServerCallStreamObserver<CompactionJob> out;
        private CompactionBoard.@Nullable Worker worker;
        private boolean over;

        Stream(ServerCallStreamObserver<CompactionJob> out) {
            this.out = out;
        }

        @Override
        public void onNext(WorkerMessage message) {
            CompactionBoard.Worker present = present();
            if (present == null) {
                hello(message);
                return;
            }
            switch (message.getMessageCase()) {
                case READY -> present.ready();
                case DONE -> present.done(message.getDone());
                case FAILED ->
                        present.failed(
                                message.getFailed().getJobId(), message.getFailed().getReason());
                case HELLO, MESSAGE_NOT_SET ->
                        end(Status.INVALID_ARGUMENT.withDescription("unknown kind of message"));
            }
        }

        private synchronized CompactionBoard.@Nullable Worker present() {
            return worker;
        }

        private void hello(WorkerMessage message) {
            if (!message.hasHello()) {
                end(Status.INVALID_ARGUMENT.withDescription("the first message is a hello"));
            } else if (message.getHello().getClusterId() != clusterId) {
                end(
                        Status.FAILED_PRECONDITION.withDescription(
                                "this store belongs to cluster "
                                        + Long.toUnsignedString(clusterId)));
            } else {
                synchronized (this) {
                    worker = over ? null : board.join(this::send);
                }
            }
        }

        private synchronized void send(CompactionJob job) {
            if (!over) {
                out.onNext(job);
            }
        }

        @Override
        public void onError(Throwable error) {
            leave();
        }

        @Override
        public void onCompleted() {
            end(Status.OK);
        }

        /** The worker is gone. */
        private void leave() {
            CompactionBoard.Worker left;
            synchronized (this) {
                over = true;
                left = worker;
            }
            if (left != null) {
                left.leave();
            }
        }

        private void end(Status status) {
            synchronized (this) {
                if (over) {
                    return;
                }
                over = true;
                if (status.isOk()) {
                    out.onCompleted();
                } else {
                    out.onError(status.asRuntimeException());
                }
            }
            leave();
        }
    }
}
