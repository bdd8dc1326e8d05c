package io.tidekv.compute.pd;

import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.RequestHeader;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Timestamps over PD's Tso stream. Callers that arrive while a request is under way share the next
 * one. The stream is opened at the first call and again after it broke; what was under way then is
 * asked for again, until its deadline.
 */
final class TsoClient implements TimestampSource, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TsoClient.class);
    private static final int LOGICAL_BITS = 18;
    private static final int WAITING_MAX = 65_536;
    private static final int RANGE_MAX = 512;
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration SILENCE = Duration.ofSeconds(1);

    /** Who waits for {@code count} timestamps; the last of them is the result. */
    private record Waiting(CompletableFuture<Long> result, int count, long deadlineNanos) {}

    private final PdChannels channels;
    private final Clock clock;
    private final Scheduler scheduler;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private List<Waiting> underWay = List.of();
    private @Nullable Stream stream;
    private long clusterId;
    private boolean closed;

    TsoClient(PdChannels channels, Clock clock, Scheduler scheduler) {
        this.channels = channels;
        this.clock = clock;
        this.scheduler = scheduler;
    }

    /** Known once the store is registered. */
    synchronized void cluster(long id) {
        clusterId = id;
    }

    @Override
    public CompletableFuture<Long> next() {
        return last(1);
    }

    @Override
    public CompletableFuture<Range> range(int most) {
        int count = Math.min(most, RANGE_MAX);
        return last(count).thenApply(last -> new Range(last - count + 1, last));
    }

    private CompletableFuture<Long> last(int count) {
        CompletableFuture<Long> result = new CompletableFuture<>();
        synchronized (this) {
            if (closed || waiting.size() >= WAITING_MAX) {
                result.completeExceptionally(
                        new KvException(
                                new KvError.ServerIsBusy("too many wait for a timestamp", 100)));
                return result;
            }
            waiting.add(new Waiting(result, count, clock.monotonicNanos() + DEADLINE.toNanos()));
            ask();
        }
        return result;
    }

    /** Sends one request for all who wait, unless one is under way. Called with the lock held. */
    private void ask() {
        if (!underWay.isEmpty() || waiting.isEmpty() || closed) {
            return;
        }
        if (stream == null) {
            stream = new Stream(channels.current());
            PDGrpc.newStub(stream.channel).tso(stream);
        }
        underWay = nextBatch();
        Stream asked = stream;
        asked.send(
                TsoRequest.newBuilder()
                        .setHeader(RequestHeader.newBuilder().setClusterId(clusterId))
                        .setCount(sum(underWay))
                        .build());
        List<Waiting> batch = underWay;
        scheduler.after(
                SILENCE,
                () -> {
                    if (isUnderWay(batch)) {
                        broken(asked, "no answer within " + SILENCE.toMillis() + " ms");
                    }
                });
    }

    /** As many as PD gives at once. Called with the lock held. */
    private List<Waiting> nextBatch() {
        List<Waiting> batch = new ArrayList<>();
        int sum = 0;
        while (!waiting.isEmpty() && sum + waiting.getFirst().count <= WAITING_MAX) {
            sum += waiting.getFirst().count;
            batch.add(waiting.removeFirst());
        }
        return batch;
    }

    private synchronized boolean isUnderWay(List<Waiting> batch) {
        return underWay == batch;
    }

    private void answered(Stream from, TsoResponse response) {
        List<Waiting> served;
        synchronized (this) {
            if (from != stream) {
                return;
            }
            served = underWay;
            if (response.getCount() == sum(served) && !response.getHeader().hasError()) {
                underWay = List.of();
                ask();
            } else {
                served = List.of();
            }
        }
        if (served.isEmpty()) {
            broken(from, "PD answers: " + response.getHeader().getError().getMessage());
            return;
        }
        // The response names the last of the batch; those before it differ in the logical part.
        long last =
                (response.getTimestamp().getPhysical() << LOGICAL_BITS)
                        + response.getTimestamp().getLogical();
        long given = last - sum(served);
        for (Waiting one : served) {
            given += one.count;
            one.result.complete(given);
        }
    }

    private static int sum(List<Waiting> waiting) {
        int sum = 0;
        for (Waiting one : waiting) {
            sum += one.count;
        }
        return sum;
    }

    /** The stream is of no use any more: who is not past the deadline waits for the next one. */
    private void broken(Stream from, String reason) {
        List<Waiting> expired = new ArrayList<>();
        synchronized (this) {
            if (from != stream) {
                return;
            }
            stream = null;
            long now = clock.monotonicNanos();
            for (int i = underWay.size() - 1; i >= 0; i--) {
                Waiting one = underWay.get(i);
                if (closed || one.deadlineNanos - now <= 0) {
                    expired.add(one);
                } else {
                    waiting.addFirst(one);
                }
            }
            underWay = List.of();
        }
        log.debug("the timestamp stream broke: {}", reason);
        channels.suspect(from.channel);
        from.cancel();
        for (Waiting one : expired) {
            one.result.completeExceptionally(
                    new KvException(
                            new KvError.DeadlineExceeded("no timestamp from PD: " + reason)));
        }
        scheduler.after(
                PAUSE,
                () -> {
                    synchronized (this) {
                        ask();
                    }
                });
    }

    @Override
    public void close() {
        Stream last;
        List<Waiting> left;
        synchronized (this) {
            closed = true;
            last = stream;
            left = new ArrayList<>(waiting);
            waiting.clear();
        }
        if (last != null) {
            broken(last, "the store ends");
        }
        for (Waiting one : left) {
            one.result.completeExceptionally(
                    new KvException(new KvError.DeadlineExceeded("the store ends")));
        }
    }

    /** One call of the Tso method. */
    private final class Stream implements ClientResponseObserver<TsoRequest, TsoResponse> {
        private final ManagedChannel channel;
        private @Nullable ClientCallStreamObserver<TsoRequest> requests;

        Stream(ManagedChannel channel) {
            this.channel = channel;
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<TsoRequest> stream) {
            requests = stream;
        }

        void send(TsoRequest request) {
            if (requests != null) {
                requests.onNext(request);
            }
        }

        void cancel() {
            if (requests != null) {
                requests.cancel("given up", null);
            }
        }

        @Override
        public void onNext(TsoResponse response) {
            answered(this, response);
        }

        @Override
        public void onError(Throwable error) {
            broken(this, String.valueOf(error.getMessage()));
        }

        @Override
        public void onCompleted() {
            broken(this, "PD has ended it");
        }
    }
}
