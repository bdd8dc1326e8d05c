package io.tidekv.compute.compaction;

import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.compaction.CompactionJob;
import io.tidekv.proto.compaction.CompactionsGrpc;
import io.tidekv.proto.compaction.WorkerHello;
import io.tidekv.proto.compaction.WorkerMessage;
import io.tidekv.proto.compaction.WorkerReady;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A worker's stream to one store, until either of them ends it. It has no deadline: the store gives
 * up a job that takes too long, and keep-alive finds out when the other side is gone. Thread-safe.
 */
final class StoreLink implements ClientResponseObserver<WorkerMessage, CompactionJob> {
    private static final WorkerMessage READY =
            WorkerMessage.newBuilder().setReady(WorkerReady.getDefaultInstance()).build();

    private final String address;
    private final BiConsumer<StoreLink, CompactionJob> jobs;
    private final ManagedChannel channel;

    // All below is guarded by this.
    private @Nullable ClientCallStreamObserver<WorkerMessage> out;
    private boolean asked;
    private boolean over;

    private StoreLink(String address, BiConsumer<StoreLink, CompactionJob> jobs) {
        this.address = address;
        this.jobs = jobs;
        this.channel = GrpcTransports.channel(address).build();
    }

    /**
     * Greets the store and asks it for a job.
     *
     * @param jobs takes what it gives; must not block
     */
    static StoreLink open(
            String address, long clusterId, BiConsumer<StoreLink, CompactionJob> jobs) {
        StoreLink link = new StoreLink(address, jobs);
        CompactionsGrpc.newStub(link.channel).work(link);
        WorkerHello hello = WorkerHello.newBuilder().setClusterId(clusterId).build();
        link.send(WorkerMessage.newBuilder().setHello(hello).build());
        link.ask();
        return link;
    }

    String address() {
        return address;
    }

    /** Asks for a job, unless one is on its way. */
    void ask() {
        synchronized (this) {
            if (asked) {
                return;
            }
            asked = true;
        }
        send(READY);
    }

    /** A few messages per job: they need no flow control of their own. */
    synchronized void send(WorkerMessage message) {
        if (!over && out != null) {
            out.onNext(message);
        }
    }

    synchronized boolean isOver() {
        return over;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<WorkerMessage> stream) {
        synchronized (this) {
            out = stream;
        }
    }

    @Override
    public void onNext(CompactionJob job) {
        synchronized (this) {
            asked = false;
        }
        jobs.accept(this, job);
    }

    @Override
    public void onError(Throwable error) {
        end();
    }

    @Override
    public void onCompleted() {
        end();
    }

    private void end() {
        synchronized (this) {
            over = true;
        }
        channel.shutdownNow();
    }

    void close() {
        ClientCallStreamObserver<WorkerMessage> stream;
        synchronized (this) {
            stream = over ? null : out;
            over = true;
        }
        if (stream != null) {
            stream.cancel("the worker ends", null);
        }
        channel.shutdownNow();
    }
}
