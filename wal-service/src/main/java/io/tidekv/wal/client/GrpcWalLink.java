package io.tidekv.wal.client;

import io.grpc.ManagedChannel;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.wal.Hello;
import io.tidekv.proto.wal.TailRequest;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The real link: one channel with one stream at a time. Callbacks come on the channel's event loop,
 * or on the scheduler's thread when a connection is given up. Nothing is resent.
 */
final class GrpcWalLink implements WalLink {
    private static final Logger log = LoggerFactory.getLogger(GrpcWalLink.class);

    /** A node that does not answer Hello for so long is tried anew. */
    private static final Duration HELLO_PATIENCE = Duration.ofSeconds(3);

    private final Hello hello;
    private final ManagedChannel channel;
    private final Listener listener;
    private final Scheduler scheduler;
    private final BackOff backOff;
    private final long bytesMax;
    // Guarded by this. The stream under way, connected or not.
    private @Nullable ClientStream stream;
    private boolean closed;
    private String lastReason = "";

    GrpcWalLink(
            Hello hello,
            ManagedChannel channel,
            Listener listener,
            Scheduler scheduler,
            BackOff backOff,
            long bytesMax) {
        this.hello = hello;
        this.channel = channel;
        this.listener = listener;
        this.scheduler = scheduler;
        this.backOff = backOff;
        this.bytesMax = bytesMax;
    }

    @Override
    public long walId() {
        return hello.getWalId();
    }

    /** Begins an attempt to connect. */
    void start() {
        ClientStream attempt;
        synchronized (this) {
            if (closed) {
                return;
            }
            attempt = new ClientStream(this, bytesMax);
            stream = attempt;
        }
        // The channel has a back-off of its own, longer than ours.
        channel.resetConnectBackoff();
        attempt.start(WalGrpc.newStub(channel), hello);
        scheduler.after(HELLO_PATIENCE, () -> attempt.giveUpUnlessReady());
    }

    @Override
    public boolean send(List<WalRequest> requests) {
        ClientStream now;
        synchronized (this) {
            now = stream;
        }
        return now != null && now.send(requests);
    }

    @Override
    public Following follow(long regionId, long fromIndex, Follower follower) {
        TailCall tail = new TailCall(follower);
        WalGrpc.newStub(channel)
                .tail(
                        TailRequest.newBuilder()
                                .setClusterId(hello.getClusterId())
                                .setRegionId(regionId)
                                .setFromIndex(fromIndex)
                                .build(),
                        tail);
        return tail;
    }

    void connected(ClientStream from) {
        if (isCurrent(from)) {
            synchronized (this) {
                backOff.reset();
                lastReason = "";
            }
            listener.onConnected(walId());
        }
    }

    void responses(ClientStream from, List<WalResponse> responses) {
        if (isCurrent(from)) {
            listener.onResponses(walId(), responses);
        }
    }

    /** The stream has ended; {@code wasReady} when it had been told as connected. */
    void ended(ClientStream from, boolean wasReady, String reason) {
        Duration pause;
        synchronized (this) {
            if (closed || stream != from) {
                return;
            }
            stream = null;
            pause = backOff.next();
            if (!reason.equals(lastReason)) {
                log.info("no connection to WAL node {}: {}", walId(), reason);
                lastReason = reason;
            }
        }
        if (wasReady) {
            listener.onDisconnected(walId(), reason);
        }
        scheduler.after(pause, this::start);
    }

    private synchronized boolean isCurrent(ClientStream from) {
        return !closed && stream == from;
    }

    @Override
    public void close() {
        ClientStream last;
        synchronized (this) {
            closed = true;
            last = stream;
            stream = null;
        }
        if (last != null) {
            last.cancel("the link is closed");
        }
        channel.shutdownNow();
    }
}
