package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.proto.tikvpb.BatchCommandsEmptyResponse;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request.CmdCase;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One BatchCommands stream. Requests run independently; each id is answered once, in any order,
 * several in a message. No more is read from the client while the requests being served and the
 * answers it has not taken hold more than {@code bytesMax}. Thread-safe.
 */
final class BatchStream implements StreamObserver<BatchCommandsRequest> {
    private static final int MESSAGE_BYTES = 1 << 20;
    private static final int MESSAGE_ANSWERS = 512;

    private final Map<CmdCase, BatchKind<?, ?>> kinds;
    private final Gate gate;
    private final long bytesMax;
    private final Executor flusher;
    private final ServerCallStreamObserver<BatchCommandsResponse> out;

    // All below is guarded by this.
    private final ArrayDeque<Answer> ready = new ArrayDeque<>();
    private int served;
    private long bytes;
    private int dispatching;
    private boolean flushScheduled;
    private boolean paused;
    private boolean halfClosed;
    private boolean closed;

    /** An answer that waits to be sent, and what it and its request count for. */
    private record Answer(long id, Response response, long bytes) {}

    BatchStream(
            Map<CmdCase, BatchKind<?, ?>> kinds,
            Gate gate,
            long bytesMax,
            Executor flusher,
            ServerCallStreamObserver<BatchCommandsResponse> out) {
        this.kinds = kinds;
        this.gate = gate;
        this.bytesMax = bytesMax;
        this.flusher = flusher;
        this.out = out;
        out.disableAutoRequest();
        out.setOnReadyHandler(this::flush);
        out.setOnCancelHandler(this::cancel);
        out.request(1);
    }

    @Override
    public void onNext(BatchCommandsRequest message) {
        int count = message.getRequestsCount();
        if (count != message.getRequestIdsCount()) {
            fail(Status.INVALID_ARGUMENT.withDescription("requests and ids do not pair up"));
            return;
        }
        synchronized (this) {
            dispatching++;
            served += count;
        }
        for (int i = 0; i < count; i++) {
            if (!begin(message.getRequestIds(i), message.getRequests(i))) {
                fail(Status.CANCELLED.withDescription("a request is for another cluster"));
                return;
            }
        }
        synchronized (this) {
            dispatching--;
            if (bytes <= bytesMax) {
                out.request(1);
            } else {
                paused = true;
            }
        }
        flush();
    }

    /** False for a request to another cluster. */
    private boolean begin(long id, Request request) {
        BatchKind<?, ?> kind = kinds.get(request.getCmdCase());
        long size = request.getSerializedSize();
        synchronized (this) {
            bytes += size;
        }
        if (kind != null) {
            return run(kind, id, request, size);
        }
        finish(id, withoutCommand(request), size);
        return true;
    }

    private static Response withoutCommand(Request request) {
        if (request.getCmdCase() != CmdCase.EMPTY) {
            return DeclinedKinds.answer(request.getCmdCase());
        }
        long test = request.getEmpty().getTestId();
        return Response.newBuilder()
                .setEmpty(BatchCommandsEmptyResponse.newBuilder().setTestId(test))
                .build();
    }

    private <Q extends Message, A extends Message> boolean run(
            BatchKind<Q, A> kind, long id, Request request, long size) {
        Q inner = kind.unwrap().apply(request);
        if (gate.isForeign(kind.command().context().apply(inner))) {
            return false;
        }
        CompletableFuture<A> served = gate.serve(kind.command(), inner);
        if (served.isDone() && !served.isCompletedExceptionally()) {
            finish(id, response(kind, served.join()), size);
        } else {
            served.whenComplete((answer, error) -> finish(id, response(kind, answer), size));
        }
        return true;
    }

    private static <A extends Message> Response response(BatchKind<?, A> kind, @Nullable A answer) {
        Response.Builder response = Response.newBuilder();
        if (answer != null) {
            kind.wrap().accept(response, answer);
        }
        return response.build();
    }

    private void finish(long id, Response response, long requestBytes) {
        boolean now;
        synchronized (this) {
            served--;
            long size = response.getSerializedSize();
            bytes += size;
            ready.add(new Answer(id, response, requestBytes + size));
            if (closed || dispatching > 0 || flushScheduled) {
                return;
            }
            // Others will be ready soon: send them together, and not on the thread that applies.
            now = served == 0;
            flushScheduled = !now;
        }
        if (now) {
            flush();
        } else {
            flusher.execute(this::flush);
        }
    }

    private synchronized void flush() {
        flushScheduled = false;
        while (!closed && !ready.isEmpty() && out.isReady()) {
            out.onNext(next());
        }
        if (closed) {
            return;
        }
        if (paused && bytes <= bytesMax / 2) {
            paused = false;
            out.request(1);
        }
        if (halfClosed && served == 0 && ready.isEmpty()) {
            closed = true;
            out.onCompleted();
        }
    }

    private BatchCommandsResponse next() {
        BatchCommandsResponse.Builder message = BatchCommandsResponse.newBuilder();
        long size = 0;
        while (!ready.isEmpty()
                && size < MESSAGE_BYTES
                && message.getResponsesCount() < MESSAGE_ANSWERS) {
            Answer answer = ready.removeFirst();
            message.addRequestIds(answer.id()).addResponses(answer.response());
            size += answer.response().getSerializedSize();
            bytes -= answer.bytes();
        }
        return message.build();
    }

    @Override
    public void onError(Throwable error) {
        cancel();
    }

    @Override
    public void onCompleted() {
        synchronized (this) {
            halfClosed = true;
        }
        flush();
    }

    private synchronized void fail(Status status) {
        if (!closed) {
            cancel();
            out.onError(status.asRuntimeException());
        }
    }

    private synchronized void cancel() {
        closed = true;
        ready.clear();
    }
}
