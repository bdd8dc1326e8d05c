package io.tidekv.pd.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.tidekv.pd.keyspace.KeyspaceException;
import io.tidekv.pd.keyspace.Keyspaces;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.keyspacepb.GetAllKeyspacesRequest;
import io.tidekv.proto.keyspacepb.GetAllKeyspacesResponse;
import io.tidekv.proto.keyspacepb.KeyspaceGrpc;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.LoadKeyspaceByIDRequest;
import io.tidekv.proto.keyspacepb.LoadKeyspaceRequest;
import io.tidekv.proto.keyspacepb.LoadKeyspaceResponse;
import io.tidekv.proto.keyspacepb.UpdateKeyspaceStateRequest;
import io.tidekv.proto.keyspacepb.UpdateKeyspaceStateResponse;
import io.tidekv.proto.keyspacepb.WatchKeyspacesRequest;
import io.tidekv.proto.keyspacepb.WatchKeyspacesResponse;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.ResponseHeader;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * keyspacepb.Keyspace: looks keyspaces up and leads them through their states; they are made over
 * HTTP. Clients of API V2 load one before they begin.
 */
public final class KeyspaceService extends KeyspaceGrpc.KeyspaceImplBase {
    private static final int WATCHERS_MAX = 1000;

    private final Guard guard;
    private final Keyspaces keyspaces;
    private final AtomicInteger watchers = new AtomicInteger();

    public KeyspaceService(StateLog log, Keyspaces keyspaces) {
        guard = new Guard(log);
        this.keyspaces = keyspaces;
    }

    @Override
    public void loadKeyspace(
            LoadKeyspaceRequest request, StreamObserver<LoadKeyspaceResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    return loaded(() -> keyspaces.byName(request.getName()));
                });
    }

    @Override
    public void loadKeyspaceByID(
            LoadKeyspaceByIDRequest request, StreamObserver<LoadKeyspaceResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    // Identities are of API V3, of which there are none.
                    int id = request.hasKeyspaceIdentity() ? -1 : request.getId();
                    return loaded(() -> keyspaces.byId(id));
                });
    }

    private LoadKeyspaceResponse loaded(Supplier<KeyspaceMeta> look) {
        try {
            return LoadKeyspaceResponse.newBuilder()
                    .setKeyspace(look.get())
                    .setHeader(guard.header())
                    .build();
        } catch (KeyspaceException e) {
            return LoadKeyspaceResponse.newBuilder().setHeader(refusal(e)).build();
        }
    }

    private ResponseHeader refusal(KeyspaceException e) {
        return guard.error(
                e.isMissing() ? ErrorType.ENTRY_NOT_FOUND : ErrorType.UNKNOWN,
                String.valueOf(e.getMessage()));
    }

    @Override
    public void getAllKeyspaces(
            GetAllKeyspacesRequest request, StreamObserver<GetAllKeyspacesResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    return GetAllKeyspacesResponse.newBuilder()
                            .setHeader(guard.header())
                            .addAllKeyspaces(
                                    keyspaces.from(request.getStartId(), request.getLimit()))
                            .build();
                });
    }

    @Override
    public void updateKeyspaceState(
            UpdateKeyspaceStateRequest request, StreamObserver<UpdateKeyspaceStateResponse> call) {
        Answers.later(
                call,
                () -> {
                    guard.check(request.getHeader());
                    int id = request.hasKeyspaceIdentity() ? -1 : request.getId();
                    return keyspaces.changeState(id, request.getState()).handle(this::updated);
                });
    }

    private UpdateKeyspaceStateResponse updated(
            @Nullable KeyspaceMeta meta, @Nullable Throwable error) {
        UpdateKeyspaceStateResponse.Builder response = UpdateKeyspaceStateResponse.newBuilder();
        if (meta != null) {
            return response.setHeader(guard.header()).setKeyspace(meta).build();
        }
        Throwable cause =
                error instanceof CompletionException && error.getCause() != null
                        ? error.getCause()
                        : error;
        if (cause instanceof KeyspaceException refused) {
            return response.setHeader(refusal(refused)).build();
        }
        throw new CompletionException(cause);
    }

    /** Tells what there is, then each change; ends when this node leads no more. */
    @Override
    public void watchKeyspaces(
            WatchKeyspacesRequest request, StreamObserver<WatchKeyspacesResponse> call) {
        try {
            guard.check(request.getHeader());
            if (watchers.incrementAndGet() > WATCHERS_MAX) {
                watchers.decrementAndGet();
                throw Status.RESOURCE_EXHAUSTED
                        .withDescription("too many clients watch the keyspaces: poll instead")
                        .asRuntimeException();
            }
            Watch watch = new Watch((ServerCallStreamObserver<WatchKeyspacesResponse>) call);
            watch.begin();
        } catch (RuntimeException e) {
            call.onError(Failures.status(e));
        }
    }

    /** One stream of changes; a slow one is ended rather than kept in memory. */
    private final class Watch implements Consumer<KeyspaceMeta> {
        private final ServerCallStreamObserver<WatchKeyspacesResponse> call;
        private boolean over;

        Watch(ServerCallStreamObserver<WatchKeyspacesResponse> call) {
            this.call = call;
            call.setOnCancelHandler(this::leave);
        }

        void begin() {
            keyspaces.watch(this);
            tell(keyspaces.from(0, 0));
        }

        @Override
        public void accept(KeyspaceMeta changed) {
            tell(List.of(changed));
        }

        private synchronized void tell(List<KeyspaceMeta> changed) {
            if (over) {
                return;
            }
            try {
                guard.leading();
                if (!call.isReady()) {
                    throw Status.RESOURCE_EXHAUSTED
                            .withDescription("the watcher does not keep up: watch again")
                            .asRuntimeException();
                }
                call.onNext(
                        WatchKeyspacesResponse.newBuilder()
                                .setHeader(guard.header())
                                .addAllKeyspaces(changed)
                                .build());
            } catch (RuntimeException e) {
                leave();
                call.onError(Failures.status(e));
            }
        }

        private synchronized void leave() {
            if (!over) {
                over = true;
                keyspaces.leave(this);
                watchers.decrementAndGet();
            }
        }
    }
}
