package io.tidekv.cli.client;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.Threads;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.pdpb.PDGrpc;
import io.tidekv.proto.pdpb.Timestamp;
import io.tidekv.proto.pdpb.TsoRequest;
import io.tidekv.proto.pdpb.TsoResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Timestamps from PD over one stream. One request is under way at a time; whoever asks meanwhile
 * shares the next one. Thread-safe; never blocks a caller.
 */
final class Timestamps implements AutoCloseable {
    /** Bits of the logical part, below the physical one. */
    static final int LOGICAL_BITS = 18;

    private static final int BATCH_MAX = 1000;
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final Duration EXPIRY_CHECK = Duration.ofMillis(500);

    private final PdClient pd;
    private final Clock clock;

    /** Finding PD's leader blocks, so streams are opened here. */
    private final ExecutorService opener = Threads.pool("tso", 1, 16);

    private final ArrayDeque<CompletableFuture<Long>> waiting = new ArrayDeque<>();
    private List<CompletableFuture<Long>> underWay = List.of();
    private @Nullable Stream stream;
    private boolean opening;
    private long askedNanos;

    Timestamps(PdClient pd, Clock clock, Scheduler scheduler) {
        this.pd = pd;
        this.clock = clock;
        scheduler.every(EXPIRY_CHECK, this::expire);
    }

    /** A timestamp greater than all that were given before the call. */
    CompletableFuture<Long> next() {
        CompletableFuture<Long> timestamp = new CompletableFuture<>();
        synchronized (this) {
            waiting.add(timestamp);
            ask();
        }
        return timestamp;
    }

    private synchronized void ask() {
        if (waiting.isEmpty() || !underWay.isEmpty() || opening) {
            return;
        }
        if (stream == null) {
            opening = true;
            opener.execute(this::open);
            return;
        }
        List<CompletableFuture<Long>> batch = new ArrayList<>();
        while (!waiting.isEmpty() && batch.size() < BATCH_MAX) {
            batch.add(waiting.remove());
        }
        underWay = batch;
        askedNanos = clock.monotonicNanos();
        stream.ask(batch.size());
    }

    private void open() {
        try {
            Stream opened = new Stream(pd.clusterId());
            synchronized (this) {
                // Known before the call, which may fail before it returns.
                stream = opened;
            }
            StreamObserver<TsoRequest> requests = PDGrpc.newStub(pd.leaderChannel()).tso(opened);
            synchronized (this) {
                if (stream == opened) {
                    opened.requests = requests;
                    opening = false;
                    ask();
                }
            }
        } catch (RuntimeException e) {
            Stream failed;
            synchronized (this) {
                failed = stream;
            }
            broken(failed, e);
        }
    }

    /** A request that has waited for so long will get no answer. */
    private void expire() {
        Stream late;
        synchronized (this) {
            if (underWay.isEmpty() || clock.monotonicNanos() - askedNanos < TIMEOUT.toNanos()) {
                return;
            }
            late = stream;
        }
        broken(
                late,
                Status.DEADLINE_EXCEEDED
                        .withDescription("PD gave no timestamp")
                        .asRuntimeException());
    }

    private void given(Timestamp last, int count) {
        List<CompletableFuture<Long>> batch;
        synchronized (this) {
            batch = underWay;
            underWay = List.of();
            ask();
        }
        long value = (last.getPhysical() << LOGICAL_BITS) + last.getLogical();
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).complete(value - count + 1 + i);
        }
    }

    private void broken(@Nullable Stream which, Throwable cause) {
        List<CompletableFuture<Long>> lost;
        synchronized (this) {
            if (stream != which) {
                return;
            }
            stream = null;
            opening = false;
            lost = new ArrayList<>(underWay);
            lost.addAll(waiting);
            underWay = List.of();
            waiting.clear();
        }
        pd.forgetLeader();
        lost.forEach(timestamp -> timestamp.completeExceptionally(cause));
    }

    @Override
    public void close() {
        opener.shutdownNow();
    }

    private final class Stream implements StreamObserver<TsoResponse> {
        private final long clusterId;
        private @Nullable StreamObserver<TsoRequest> requests;

        Stream(long clusterId) {
            this.clusterId = clusterId;
        }

        void ask(int count) {
            StreamObserver<TsoRequest> to = requests;
            if (to != null) {
                TsoRequest.Builder request = TsoRequest.newBuilder().setCount(count);
                request.getHeaderBuilder().setClusterId(clusterId);
                to.onNext(request.build());
            }
        }

        @Override
        public void onNext(TsoResponse response) {
            if (response.getHeader().hasError()) {
                onError(new KvFailure("PD: " + response.getHeader().getError().getMessage()));
                return;
            }
            given(response.getTimestamp(), response.getCount());
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
                            .withDescription("PD ended the stream of timestamps")
                            .asRuntimeException());
        }
    }
}
