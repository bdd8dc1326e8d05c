package io.tidekv.compute.deadlock;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.Invariants;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.proto.deadlock.DeadlockGrpc;
import io.tidekv.proto.deadlock.DeadlockRequest;
import io.tidekv.proto.deadlock.DeadlockResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * deadlock.Deadlock/Detect: other stores tell their waits, and are told of circles. Refused by a
 * store that is not the detector.
 */
public final class DetectorService extends DeadlockGrpc.DeadlockImplBase {
    private static final Status NOT_HERE =
            Status.FAILED_PRECONDITION.withDescription(
                    "this store does not lead the first region: ask PD who does");

    private final DetectorTable table;

    public DetectorService(DetectorTable table) {
        this.table = table;
    }

    @Override
    public StreamObserver<DeadlockRequest> detect(StreamObserver<DeadlockResponse> out) {
        Stream stream = new Stream((ServerCallStreamObserver<DeadlockResponse>) out);
        DetectorTable.Session session = table.open(() -> stream.end(NOT_HERE));
        if (session == null) {
            stream.end(NOT_HERE);
            return new Ignored();
        }
        stream.opened = session;
        stream.out.setOnCancelHandler(session::close);
        return stream;
    }

    private static final class Stream implements StreamObserver<DeadlockRequest> {
        private final ServerCallStreamObserver<DeadlockResponse> out;
        private volatile DetectorTable.@Nullable Session opened;
        private boolean over;

        Stream(ServerCallStreamObserver<DeadlockResponse> out) {
            this.out = out;
        }

        @Override
        public void onNext(DeadlockRequest request) {
            DetectorTable.Session session = Invariants.present(opened, "session");
            Wait wait = WaitEntries.of(request.getEntry());
            switch (request.getTp()) {
                case Detect -> {
                    List<Wait> circle = session.enter(wait);
                    if (!circle.isEmpty()) {
                        answer(request, circle);
                    }
                }
                case CleanUpWaitFor -> session.leave(wait);
                case CleanUp -> session.leaveAll(wait.waiter());
                default -> end(Status.INVALID_ARGUMENT.withDescription("unknown kind of request"));
            }
        }

        private void answer(DeadlockRequest request, List<Wait> circle) {
            // The key by which the others wait for this one; the own wait comes last.
            Wait back = circle.get(Math.max(0, circle.size() - 2));
            DeadlockResponse.Builder response =
                    DeadlockResponse.newBuilder()
                            .setEntry(request.getEntry())
                            .setDeadlockKeyHash(WaitEntries.hash(back.key()));
            circle.forEach(wait -> response.addWaitChain(WaitEntries.entry(wait)));
            if (!out.isReady()) {
                // It will come back and tell all that still waits.
                end(Status.RESOURCE_EXHAUSTED.withDescription("answers are not taken"));
                return;
            }
            synchronized (this) {
                if (!over) {
                    out.onNext(response.build());
                }
            }
        }

        @Override
        public void onError(Throwable error) {
            Invariants.present(opened, "session").close();
        }

        @Override
        public void onCompleted() {
            end(Status.OK);
        }

        private void end(Status status) {
            DetectorTable.Session open = opened;
            if (open != null) {
                open.close();
            }
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
        }
    }

    private static final class Ignored implements StreamObserver<DeadlockRequest> {
        @Override
        public void onNext(DeadlockRequest request) {}

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
    }
}
