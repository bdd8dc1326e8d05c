package io.tidekv.cli.client;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Commands of all callers in one stream, as client-go does it. What callers send while an answer is
 * being handled leaves in one message, so that batches grow with the load and a lone command waits
 * for nobody.
 */
final class BatchLink implements StoreLink {
    private static final int BATCH_MAX = 128;
    private static final Duration EXPIRY_CHECK = Duration.ofMillis(250);

    private final ManagedChannel channel;
    private final Clock clock;
    private final long timeoutNanos;
    private final Scheduler.Cancellable expiry;
    private final ConcurrentLinkedQueue<Waiting<?, ?>> queue = new ConcurrentLinkedQueue<>();

    /** Above 0 while somebody sends; they take a turn for each who came meanwhile. */
    private final AtomicInteger turns = new AtomicInteger();

    private final Object lock = new Object();
    private final Map<Long, Waiting<?, ?>> inFlight = new LinkedHashMap<>();
    private long nextId = 1;
    private @Nullable Stream stream;

    BatchLink(ManagedChannel channel, Clock clock, Scheduler scheduler, Duration timeout) {
        this.channel = channel;
        this.clock = clock;
        this.timeoutNanos = timeout.toNanos();
        this.expiry = scheduler.every(EXPIRY_CHECK, this::expire);
    }

    @Override
    public <Q, A> CompletableFuture<A> send(Command<Q, A> command, Q request) {
        Waiting<Q, A> waiting =
                new Waiting<>(command, request, clock.monotonicNanos() + timeoutNanos);
        queue.add(waiting);
        flush();
        return waiting.answer;
    }

    private void flush() {
        if (turns.getAndIncrement() == 0) {
            sendTurns();
        }
    }

    /** Only by the one who raised {@link #turns} from 0: a stream takes one message at a time. */
    private void sendTurns() {
        int taken = 1;
        do {
            sendQueued();
            taken = turns.addAndGet(-taken);
        } while (taken != 0);
    }

    private void sendQueued() {
        Waiting<?, ?> next = queue.poll();
        while (next != null) {
            BatchCommandsRequest.Builder batch = BatchCommandsRequest.newBuilder();
            Stream to;
            synchronized (lock) {
                while (next != null && batch.getRequestIdsCount() < BATCH_MAX) {
                    long id = nextId++;
                    inFlight.put(id, next);
                    batch.addRequestIds(id).addRequests(next.wrapped());
                    next = queue.poll();
                }
                to = stream == null ? open() : stream;
                stream = to;
            }
            to.send(batch.build());
        }
    }

    private Stream open() {
        Stream opened = new Stream();
        opened.requests = TikvGrpc.newStub(channel).batchCommands(opened);
        return opened;
    }

    private void answered(BatchCommandsResponse response) {
        boolean mine = turns.getAndIncrement() == 0;
        for (int i = 0; i < response.getRequestIdsCount(); i++) {
            Waiting<?, ?> waiting;
            synchronized (lock) {
                waiting = inFlight.remove(response.getRequestIds(i));
            }
            if (waiting != null) {
                waiting.complete(response.getResponses(i));
            }
        }
        if (mine) {
            sendTurns();
        }
    }

    private void broken(Stream which, Throwable cause) {
        List<Waiting<?, ?>> lost;
        synchronized (lock) {
            if (stream != which) {
                return;
            }
            stream = null;
            lost = new ArrayList<>(inFlight.values());
            inFlight.clear();
        }
        lost.forEach(waiting -> waiting.answer.completeExceptionally(cause));
    }

    private void expire() {
        long now = clock.monotonicNanos();
        List<Waiting<?, ?>> late = new ArrayList<>();
        synchronized (lock) {
            inFlight.values().removeIf(w -> w.deadlineNanos - now <= 0 && late.add(w));
        }
        RuntimeException cause =
                Status.DEADLINE_EXCEEDED.withDescription("no answer in time").asRuntimeException();
        late.forEach(waiting -> waiting.answer.completeExceptionally(cause));
    }

    @Override
    public void connectSoon() {
        channel.resetConnectBackoff();
    }

    @Override
    public void close() {
        expiry.cancel();
        channel.shutdownNow();
    }

    private static final class Waiting<Q, A> {
        final Command<Q, A> command;
        final Q request;
        final long deadlineNanos;
        final CompletableFuture<A> answer = new CompletableFuture<>();

        Waiting(Command<Q, A> command, Q request, long deadlineNanos) {
            this.command = command;
            this.request = request;
            this.deadlineNanos = deadlineNanos;
        }

        BatchCommandsRequest.Request wrapped() {
            return command.inBatch(request);
        }

        void complete(BatchCommandsResponse.Response response) {
            answer.complete(command.unwrap().apply(response));
        }
    }

    private final class Stream implements StreamObserver<BatchCommandsResponse> {
        private @Nullable StreamObserver<BatchCommandsRequest> requests;

        void send(BatchCommandsRequest batch) {
            StreamObserver<BatchCommandsRequest> to = requests;
            if (to != null) {
                to.onNext(batch);
            }
        }

        @Override
        public void onNext(BatchCommandsResponse response) {
            answered(response);
        }

        @Override
        public void onError(Throwable t) {
            broken(this, t);
        }

        @Override
        public void onCompleted() {
            broken(
                    this,
                    Status.UNAVAILABLE
                            .withDescription("the store ended the stream")
                            .asRuntimeException());
        }
    }
}
