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
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One BatchCommands stream. Requests run independently; each id is answered once, in any order,
 * several in a message. A client that does not take its answers holds little memory: no more is
 * read from it while its requests and unsent answers hold more than {@code bytesMax}, no request is
 * begun while its unsent answers alone do, and few reads of many rows are under way at a time.
 * Thread-safe.
 */
final class BatchStream implements StreamObserver<BatchCommandsRequest> {
    private static final int MESSAGE_BYTES = 1 << 20;

    /** What a request counts for besides its bytes. */
    private static final int REQUEST_BYTES = 512;

    private static final int MESSAGE_ANSWERS = 512;

    /** Reads of many rows under way: each may come back with megabytes. */
    private static final int WIDE_MAX = 8;

    private static final Set<CmdCase> WIDE =
            EnumSet.of(
                    CmdCase.BATCHGET,
                    CmdCase.BUFFERBATCHGET,
                    CmdCase.SCAN,
                    CmdCase.SCANLOCK,
                    CmdCase.RAWBATCHGET,
                    CmdCase.RAWBATCHSCAN,
                    CmdCase.RAWSCAN);

    private final Map<CmdCase, BatchKind<?, ?>> kinds;
    private final Gate gate;
    private final long bytesMax;
    private final Executor flusher;
    private final ServerCallStreamObserver<BatchCommandsResponse> out;

    /** For answers of requests that are done when they have begun; of who begins. */
    private final Response.Builder atOnce = Response.newBuilder();

    // All below is guarded by this.
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private final ArrayDeque<Answer> ready = new ArrayDeque<>();
    private int served;
    private int wide;
    private long bytes;
    private long unsentBytes;
    private boolean beginning;
    private boolean flushScheduled;
    private boolean paused;
    private boolean halfClosed;
    private boolean closed;

    /** A request that is not begun. */
    private record Waiting(long id, Request request, int bytes) {
        boolean isWide() {
            return WIDE.contains(request.getCmdCase());
        }
    }

    /** An answer that waits to be sent, and what it and its request count for. */
    private record Answer(long id, Response response, int bytes, int requestBytes) {}

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
            served += count;
            for (int i = 0; i < count; i++) {
                Request request = message.getRequests(i);
                int size = REQUEST_BYTES + request.getSerializedSize();
                bytes += size;
                waiting.add(new Waiting(message.getRequestIds(i), request, size));
            }
        }
        begin();
        synchronized (this) {
            if (bytes <= bytesMax) {
                out.request(1);
            } else {
                paused = true;
            }
        }
        flush();
    }

    /** Begins what waits and may begin; one thread at a time does. */
    private void begin() {
        synchronized (this) {
            if (beginning) {
                return;
            }
            beginning = true;
        }
        Waiting next = next();
        while (next != null) {
            if (!run(next)) {
                fail(Status.CANCELLED.withDescription("a request is for another cluster"));
            }
            next = next();
        }
    }

    private synchronized @Nullable Waiting next() {
        if (!mayBegin()) {
            beginning = false;
            return null;
        }
        Waiting next = waiting.remove();
        wide += next.isWide() ? 1 : 0;
        return next;
    }

    private boolean mayBegin() {
        Waiting next = closed || unsentBytes > bytesMax ? null : waiting.peek();
        return next != null && (wide < WIDE_MAX || !next.isWide());
    }

    /** False for a request to another cluster. */
    private boolean run(Waiting begun) {
        BatchKind<?, ?> kind = kinds.get(begun.request().getCmdCase());
        if (kind != null) {
            return run(kind, begun);
        }
        finish(begun, withoutCommand(begun.request()));
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
            BatchKind<Q, A> kind, Waiting begun) {
        Q inner = kind.unwrap().apply(begun.request());
        if (gate.isForeign(kind.command().context().apply(inner))) {
            return false;
        }
        CompletableFuture<A> served = gate.serve(kind.command(), inner);
        if (served.isDone() && !served.isCompletedExceptionally()) {
            finish(begun, response(kind, served.join(), atOnce));
            atOnce.clear();
        } else {
            served.whenComplete(
                    (answer, error) ->
                            finish(begun, response(kind, answer, Response.newBuilder())));
        }
        return true;
    }

    private static <A extends Message> Response response(
            BatchKind<?, A> kind, @Nullable A answer, Response.Builder response) {
        if (answer != null) {
            kind.wrap().accept(response, answer);
        }
        return response.build();
    }

    private void finish(Waiting begun, Response response) {
        boolean now;
        synchronized (this) {
            served--;
            wide -= begun.isWide() ? 1 : 0;
            int size = response.getSerializedSize();
            bytes += size;
            unsentBytes += size;
            ready.add(new Answer(begun.id(), response, size, begun.bytes()));
            if (closed || beginning || flushScheduled) {
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

    private void flush() {
        while (send()) {
            begin();
        }
    }

    /** Sends what the client takes; says whether there is a request to begin. */
    private synchronized boolean send() {
        flushScheduled = false;
        while (!closed && !ready.isEmpty() && out.isReady()) {
            out.onNext(message());
        }
        if (closed) {
            return false;
        }
        if (paused && bytes <= bytesMax / 2) {
            paused = false;
            out.request(1);
        }
        if (halfClosed && served == 0 && ready.isEmpty()) {
            closed = true;
            out.onCompleted();
        }
        return !beginning && mayBegin();
    }

    private BatchCommandsResponse message() {
        BatchCommandsResponse.Builder message = BatchCommandsResponse.newBuilder();
        long size = 0;
        while (!ready.isEmpty()
                && size < MESSAGE_BYTES
                && message.getResponsesCount() < MESSAGE_ANSWERS) {
            Answer answer = ready.removeFirst();
            message.addRequestIds(answer.id()).addResponses(answer.response());
            size += answer.bytes();
            bytes -= answer.bytes() + answer.requestBytes();
            unsentBytes -= answer.bytes();
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
        waiting.clear();
        ready.clear();
    }
}
