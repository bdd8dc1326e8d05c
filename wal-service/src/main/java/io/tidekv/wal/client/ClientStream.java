package io.tidekv.wal.client;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.common.Invariants;
import io.tidekv.proto.wal.Hello;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import io.tidekv.proto.wal.WalResponses;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a link. Requests that come while another thread writes, or while the transport
 * is full, travel together in one message. Responses come in the order of requests, which is how
 * the bytes under way are counted.
 */
final class ClientStream implements ClientResponseObserver<WalRequests, WalResponses> {
    /** The node writes and syncs one message while it receives the next. */
    private static final int MESSAGE_BYTES = 256 << 10;

    private final GrpcWalLink link;
    private final long bytesMax;
    private @Nullable ClientCallStreamObserver<WalRequests> call;
    // Guarded by this, with all below.
    private final ArrayDeque<WalRequest> waiting = new ArrayDeque<>();
    private final ArrayDeque<Integer> underWay = new ArrayDeque<>();
    private long bytesUnderWay;
    private boolean writing;
    private boolean ready;
    private boolean over;
    private boolean started;
    private @Nullable String cancelled;

    ClientStream(GrpcWalLink link, long bytesMax) {
        this.link = link;
        this.bytesMax = bytesMax;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<WalRequests> newCall) {
        call = newCall;
        newCall.setOnReadyHandler(this::flush);
    }

    private ClientCallStreamObserver<WalRequests> call() {
        return Invariants.present(call, "call");
    }

    /** Starts the call and says hello. */
    void start(WalGrpc.WalStub stub, Hello hello) {
        stub.session(this);
        call().onNext(WalRequests.newBuilder().setHello(hello).build());
        String reason;
        synchronized (this) {
            started = true;
            reason = cancelled;
        }
        if (reason != null) {
            call().cancel(reason, null);
        }
    }

    /** False, having taken nothing, while not connected or when too much is under way. */
    boolean send(List<WalRequest> requests) {
        long bytes = 0;
        for (WalRequest request : requests) {
            bytes += request.getSerializedSize();
        }
        synchronized (this) {
            if (!ready || over || (bytesUnderWay > 0 && bytesUnderWay + bytes > bytesMax)) {
                return false;
            }
            for (WalRequest request : requests) {
                waiting.add(request);
                underWay.add(request.getSerializedSize());
            }
            bytesUnderWay += bytes;
        }
        flush();
        return true;
    }

    /** Writes what waits; one thread at a time, and whoever writes takes the others' along. */
    private void flush() {
        while (true) {
            WalRequests message;
            synchronized (this) {
                if (writing || over || !ready || waiting.isEmpty() || !call().isReady()) {
                    return;
                }
                writing = true;
                message = nextMessage();
            }
            try {
                call().onNext(message);
            } finally {
                synchronized (this) {
                    writing = false;
                }
            }
        }
    }

    private WalRequests nextMessage() {
        WalRequests.Builder message = WalRequests.newBuilder();
        long bytes = 0;
        while (!waiting.isEmpty() && bytes < MESSAGE_BYTES) {
            WalRequest request = waiting.remove();
            bytes += request.getSerializedSize();
            message.addRequests(request);
        }
        return message.build();
    }

    @Override
    public void onNext(WalResponses message) {
        if (message.hasHello()) {
            synchronized (this) {
                ready = true;
            }
            link.connected(this);
        }
        int count = message.getResponsesCount();
        if (count > 0) {
            synchronized (this) {
                for (int i = 0; i < count && !underWay.isEmpty(); i++) {
                    bytesUnderWay -= underWay.remove();
                }
            }
            link.responses(this, new ArrayList<>(message.getResponsesList()));
        }
    }

    @Override
    public void onError(Throwable cause) {
        Status status = Status.fromThrowable(cause);
        String description = status.getDescription();
        end(status.getCode() + (description == null ? "" : ": " + description));
    }

    @Override
    public void onCompleted() {
        end("the node has ended the stream");
    }

    void giveUpUnlessReady() {
        boolean silent;
        synchronized (this) {
            silent = !ready && !over;
        }
        if (silent) {
            cancel("no answer to hello");
        }
    }

    /** Ends the call; the channel reports it through {@link #onError}. */
    void cancel(String reason) {
        synchronized (this) {
            cancelled = reason;
            if (!started) {
                return;
            }
        }
        call().cancel(reason, null);
    }

    private void end(String reason) {
        boolean wasReady;
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
            wasReady = ready;
            waiting.clear();
            underWay.clear();
        }
        link.ended(this, wasReady, reason);
    }
}
