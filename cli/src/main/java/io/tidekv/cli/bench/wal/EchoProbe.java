package io.tidekv.cli.bench.wal;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.Clock;
import io.tidekv.proto.region.Entry;
import io.tidekv.proto.wal.AppendRequest;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import io.tidekv.proto.wal.WalResponses;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;

/** Round trips of one small append to a process that answers at once. */
final class EchoProbe implements StreamObserver<WalResponses> {
    /** For both processes' compilers, as the log has its own. */
    private static final double WARM_UP_SECONDS = 6;

    private final Clock clock;
    private final WalRequests message;
    private final Histogram micros = new Histogram(3);
    private final CompletableFuture<Timings> done = new CompletableFuture<>();
    private final long startNanos;
    private final long endNanos;
    private StreamObserver<WalRequests> requests;
    private long sentNanos;

    private EchoProbe(ManagedChannel channel, int bytes, double seconds, Clock clock) {
        this.clock = clock;
        Entry entry = Entry.newBuilder().setData(ByteString.copyFrom(new byte[bytes])).build();
        message =
                WalRequests.newBuilder()
                        .addRequests(
                                WalRequest.newBuilder()
                                        .setSeq(1)
                                        .setRegionId(1)
                                        .setAppend(AppendRequest.newBuilder().addEntries(entry)))
                        .build();
        startNanos = clock.monotonicNanos();
        endNanos = startNanos + (long) (seconds * 1e9);
        requests = WalGrpc.newStub(channel).session(this);
    }

    /** Measures for {@code seconds}. */
    static Timings run(String address, int bytes, double seconds, Clock clock) {
        ManagedChannel channel = GrpcTransports.channel(address).directExecutor().build();
        try {
            new EchoProbe(channel, bytes, WARM_UP_SECONDS, clock).measure();
            return new EchoProbe(channel, bytes, seconds, clock).measure();
        } finally {
            channel.shutdownNow();
        }
    }

    private Timings measure() {
        send();
        return done.join();
    }

    private void send() {
        sentNanos = clock.monotonicNanos();
        requests.onNext(message);
    }

    @Override
    public void onNext(WalResponses answer) {
        long now = clock.monotonicNanos();
        micros.recordValue((now - sentNanos) / 1000);
        if (now < endNanos) {
            send();
        } else {
            requests.onCompleted();
            done.complete(new Timings(micros, (now - startNanos) / 1e9));
        }
    }

    @Override
    public void onError(Throwable cause) {
        done.completeExceptionally(cause);
    }

    @Override
    public void onCompleted() {}
}
