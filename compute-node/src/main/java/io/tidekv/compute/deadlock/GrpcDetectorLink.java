package io.tidekv.compute.deadlock;

import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.compute.deadlock.DeadlockGraph.Wait;
import io.tidekv.compute.pd.Place;
import io.tidekv.proto.deadlock.DeadlockGrpc;
import io.tidekv.proto.deadlock.DeadlockRequest;
import io.tidekv.proto.deadlock.DeadlockRequestType;
import io.tidekv.proto.deadlock.DeadlockResponse;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds the detector through PD, who knows the leader of the first region, and talks to it over a
 * stream; or to the table in this process when it is this store. A stream lasts a minute at most:
 * the next one is opened when somebody waits. Thread-safe.
 */
public final class GrpcDetectorLink implements DetectorLink {
    private static final long STREAM_SECONDS = 60;
    private static final int UNSENT_MAX = 200_000;

    private final long ownStore;
    private final Supplier<CompletableFuture<Place>> detector;
    private final DetectorTable table;
    private final Executor callbacks = GrpcTransports.callbacks();

    // Guarded by this.
    private @Nullable ManagedChannel channel;
    private String address = "";
    private boolean closed;

    /**
     * @param detector asks who leads the first region; completes within a deadline
     * @param table of this store, for when that is itself
     */
    public GrpcDetectorLink(
            long ownStore, Supplier<CompletableFuture<Place>> detector, DetectorTable table) {
        this.ownStore = ownStore;
        this.detector = detector;
        this.table = table;
    }

    @Override
    public Session open(Listener listener) {
        Opening opening = new Opening(listener);
        detector.get()
                .whenCompleteAsync(
                        (place, error) -> {
                            if (error == null) {
                                opening.found(place);
                            } else {
                                listener.onEnd();
                            }
                        },
                        callbacks);
        return opening;
    }

    private synchronized @Nullable ManagedChannel channelTo(String target) {
        if (closed) {
            return null;
        }
        if (channel == null || !address.equals(target)) {
            if (channel != null) {
                channel.shutdown();
            }
            channel = GrpcTransports.channel(target).build();
            address = target;
        }
        // gRPC's own pause between attempts grows to minutes; the caller pauses itself.
        channel.resetConnectBackoff();
        return channel;
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (channel != null) {
            channel.shutdownNow();
        }
    }

    /** A session that is being opened, and then the one that it has become. */
    private final class Opening implements Session {
        private final Listener listener;
        private @Nullable Session opened;
        private boolean closed;

        Opening(Listener listener) {
            this.listener = listener;
        }

        void found(Place place) {
            Session session;
            if (place.storeId() == ownStore) {
                session = own();
            } else {
                ManagedChannel to = channelTo(place.address());
                session = to == null ? null : remote(to);
            }
            if (session == null) {
                listener.onEnd();
                return;
            }
            boolean late;
            synchronized (this) {
                opened = session;
                late = closed;
            }
            if (late) {
                session.close();
            } else if (session instanceof OwnSession) {
                listener.onReady();
            }
        }

        private @Nullable Session own() {
            DetectorTable.Session session = table.open(() -> callbacks.execute(listener::onEnd));
            return session == null ? null : new OwnSession(session, listener, callbacks);
        }

        private Session remote(ManagedChannel to) {
            RemoteSession session = new RemoteSession(listener);
            DeadlockGrpc.newStub(to)
                    .withDeadlineAfter(STREAM_SECONDS, TimeUnit.SECONDS)
                    .detect(session);
            return session;
        }

        @Override
        public boolean enter(Wait wait) {
            Session session = opened();
            return session != null && session.enter(wait);
        }

        @Override
        public boolean leave(Wait wait) {
            Session session = opened();
            return session != null && session.leave(wait);
        }

        private synchronized @Nullable Session opened() {
            return opened;
        }

        @Override
        public void close() {
            Session session;
            synchronized (this) {
                closed = true;
                session = opened;
            }
            if (session != null) {
                session.close();
            }
        }
    }

    private record OwnSession(DetectorTable.Session session, Listener listener, Executor callbacks)
            implements Session {
        @Override
        public boolean enter(Wait wait) {
            List<Wait> circle = session.enter(wait);
            if (!circle.isEmpty()) {
                callbacks.execute(() -> listener.onCircle(circle));
            }
            return true;
        }

        @Override
        public boolean leave(Wait wait) {
            session.leave(wait);
            return true;
        }

        @Override
        public void close() {
            session.close();
        }
    }

    private static final class RemoteSession
            implements Session, ClientResponseObserver<DeadlockRequest, DeadlockResponse> {
        private final Listener listener;

        // All below is guarded by this.
        private final ArrayDeque<DeadlockRequest> unsent = new ArrayDeque<>();
        private @Nullable ClientCallStreamObserver<DeadlockRequest> out;
        private boolean ready;
        private boolean over;

        RemoteSession(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<DeadlockRequest> stream) {
            synchronized (this) {
                out = stream;
            }
            stream.setOnReadyHandler(this::onReady);
        }

        private void onReady() {
            boolean first;
            synchronized (this) {
                first = !ready;
                ready = true;
                drain();
            }
            if (first) {
                listener.onReady();
            }
        }

        @Override
        public boolean enter(Wait wait) {
            return send(DeadlockRequestType.Detect, wait);
        }

        @Override
        public boolean leave(Wait wait) {
            return send(DeadlockRequestType.CleanUpWaitFor, wait);
        }

        private synchronized boolean send(DeadlockRequestType kind, Wait wait) {
            if (unsent.size() >= UNSENT_MAX) {
                return false;
            }
            unsent.add(
                    DeadlockRequest.newBuilder()
                            .setTp(kind)
                            .setEntry(WaitEntries.entry(wait))
                            .build());
            drain();
            return true;
        }

        private void drain() {
            while (out != null && !over && out.isReady() && !unsent.isEmpty()) {
                out.onNext(unsent.remove());
            }
        }

        @Override
        public void onNext(DeadlockResponse response) {
            if (response.getWaitChainCount() > 0) {
                listener.onCircle(
                        response.getWaitChainList().stream().map(WaitEntries::of).toList());
            }
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
                if (over) {
                    return;
                }
                over = true;
                unsent.clear();
            }
            listener.onEnd();
        }

        @Override
        public synchronized void close() {
            if (!over && out != null) {
                over = true;
                unsent.clear();
                out.cancel("the session is over", null);
            }
        }
    }
}
