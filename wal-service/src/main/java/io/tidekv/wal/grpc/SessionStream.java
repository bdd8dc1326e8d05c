package io.tidekv.wal.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.HelloAck;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.proto.wal.WalResponses;
import io.tidekv.wal.service.Replies;
import io.tidekv.wal.service.VoterService;
import io.tidekv.wal.storage.NodeIdentity;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a compute process. Requests go to the writer as they come; the next message is only
 * asked for while those without an answer stay below {@link #WINDOW_BYTES}, and an answer only
 * counts when the peer takes it. The peer is cut off when it breaks the protocol, not when a
 * request of it is refused.
 */
final class SessionStream implements StreamObserver<WalRequests>, Replies {
    private static final int WINDOW_BYTES = 16 << 20;

    private record Answer(List<WalResponse> responses, int bytes) {}

    private final VoterService service;
    private final Supplier<NodeIdentity> ids;
    private final Supplier<@Nullable Executor> loop;
    private final ServerCallStreamObserver<WalResponses> call;
    // Guarded by this, as all writing to the call is.
    private final Queue<Answer> answers = new ArrayDeque<>();
    private long unanswered;
    private boolean waiting;
    private boolean halfClosed;
    private boolean closed;
    // Used by the inbound callbacks only.
    private @Nullable Owner sender;

    private SessionStream(
            VoterService service,
            Supplier<NodeIdentity> ids,
            Supplier<@Nullable Executor> loop,
            ServerCallStreamObserver<WalResponses> call) {
        this.service = service;
        this.ids = ids;
        this.loop = loop;
        this.call = call;
    }

    /** Takes over a new call. */
    static SessionStream open(
            VoterService service,
            Supplier<NodeIdentity> ids,
            Supplier<@Nullable Executor> loop,
            ServerCallStreamObserver<WalResponses> call) {
        SessionStream stream = new SessionStream(service, ids, loop, call);
        call.disableAutoRequest();
        call.setOnReadyHandler(stream::flush);
        call.setOnCancelHandler(stream::cancelled);
        call.request(1);
        return stream;
    }

    @Override
    public void onNext(WalRequests message) {
        if (sender == null) {
            if (!greet(message)) {
                return;
            }
        } else if (message.hasHello()) {
            refuse(Status.INVALID_ARGUMENT, "hello was said before");
            return;
        }
        int bytes = RequestCost.of(message);
        if (message.getRequestsCount() > 0 && sender != null) {
            synchronized (this) {
                unanswered += bytes;
            }
            submit(sender, message.getRequestsList(), bytes);
        }
        askForMore();
    }

    private void submit(Owner from, List<WalRequest> requests, int bytes) {
        Executor here = loop.get();
        if (here == null) {
            service.submit(from, requests, bytes, this);
        } else {
            service.submit(from, requests, bytes, this, here);
        }
    }

    private boolean greet(WalRequests message) {
        if (!message.hasHello()) {
            refuse(Status.INVALID_ARGUMENT, "the first message must say hello");
            return false;
        }
        NodeIdentity now = ids.get();
        String refusal =
                WalEndpoint.refusal(
                        now, message.getHello().getClusterId(), message.getHello().getWalId());
        Owner owner = message.getHello().getOwner();
        if (refusal == null && (owner.getStoreId() == 0 || owner.getIncarnation() == 0)) {
            refusal = "hello must name the owner";
        }
        if (refusal != null) {
            refuse(Status.FAILED_PRECONDITION, refusal);
            return false;
        }
        sender = owner;
        HelloAck ack = HelloAck.newBuilder().setWalId(now.walId()).build();
        synchronized (this) {
            if (!closed) {
                call.onNext(WalResponses.newBuilder().setHello(ack).build());
            }
        }
        return true;
    }

    private synchronized void askForMore() {
        waiting = unanswered >= WINDOW_BYTES;
        if (!waiting && !closed) {
            call.request(1);
        }
    }

    @Override
    public synchronized void deliver(List<WalResponse> responses, int bytes) {
        if (!closed) {
            answers.add(new Answer(responses, bytes));
            flush();
        }
    }

    private synchronized void flush() {
        while (!closed && !answers.isEmpty() && call.isReady()) {
            Answer answer = answers.remove();
            call.onNext(WalResponses.newBuilder().addAllResponses(answer.responses).build());
            unanswered -= answer.bytes;
        }
        if (waiting && !closed && unanswered < WINDOW_BYTES) {
            waiting = false;
            call.request(1);
        }
        if (halfClosed && !closed && unanswered == 0) {
            closed = true;
            call.onCompleted();
        }
    }

    private synchronized void refuse(Status status, String message) {
        if (!closed) {
            closed = true;
            answers.clear();
            call.onError(status.withDescription(message).asRuntimeException());
        }
    }

    private synchronized void cancelled() {
        closed = true;
        answers.clear();
    }

    @Override
    public void onError(Throwable cause) {
        cancelled();
    }

    /** The peer sends no more: what it has sent is still answered. */
    @Override
    public synchronized void onCompleted() {
        halfClosed = true;
        flush();
    }
}
