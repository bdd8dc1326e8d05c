package io.tidekv.pd.grpc;

import io.grpc.stub.StreamObserver;
import io.tidekv.pd.log.StateLog;
import io.tidekv.proto.keyspacepb.GetAllKeyspacesRequest;
import io.tidekv.proto.keyspacepb.GetAllKeyspacesResponse;
import io.tidekv.proto.keyspacepb.KeyspaceGrpc;
import io.tidekv.proto.keyspacepb.KeyspaceMeta;
import io.tidekv.proto.keyspacepb.KeyspaceState;
import io.tidekv.proto.keyspacepb.LoadKeyspaceByIDRequest;
import io.tidekv.proto.keyspacepb.LoadKeyspaceRequest;
import io.tidekv.proto.keyspacepb.LoadKeyspaceResponse;
import io.tidekv.proto.keyspacepb.UpdateKeyspaceStateRequest;
import io.tidekv.proto.keyspacepb.UpdateKeyspaceStateResponse;
import io.tidekv.proto.keyspacepb.WatchKeyspacesRequest;
import io.tidekv.proto.keyspacepb.WatchKeyspacesResponse;
import io.tidekv.proto.pdpb.ErrorType;
import io.tidekv.proto.pdpb.ResponseHeader;

/**
 * keyspacepb.Keyspace with the one keyspace that every cluster has. Clients of API V2 load it
 * before they begin. Others cannot be made yet.
 */
public final class KeyspaceService extends KeyspaceGrpc.KeyspaceImplBase {
    private static final int DEFAULT_ID = 0;
    private static final KeyspaceMeta DEFAULT =
            KeyspaceMeta.newBuilder()
                    .setId(DEFAULT_ID)
                    .setName("DEFAULT")
                    .setState(KeyspaceState.ENABLED)
                    .build();

    private final Guard guard;

    public KeyspaceService(StateLog log) {
        guard = new Guard(log);
    }

    @Override
    public void loadKeyspace(
            LoadKeyspaceRequest request, StreamObserver<LoadKeyspaceResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    return loaded(request.getName().equals(DEFAULT.getName()));
                });
    }

    @Override
    public void loadKeyspaceByID(
            LoadKeyspaceByIDRequest request, StreamObserver<LoadKeyspaceResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    boolean named = !request.hasKeyspaceIdentity();
                    return loaded(named && request.getId() == DEFAULT_ID);
                });
    }

    private LoadKeyspaceResponse loaded(boolean found) {
        return found
                ? LoadKeyspaceResponse.newBuilder()
                        .setHeader(guard.header())
                        .setKeyspace(DEFAULT)
                        .build()
                : LoadKeyspaceResponse.newBuilder().setHeader(notFound()).build();
    }

    private ResponseHeader notFound() {
        return guard.error(ErrorType.ENTRY_NOT_FOUND, "keyspace does not exist");
    }

    @Override
    public void getAllKeyspaces(
            GetAllKeyspacesRequest request, StreamObserver<GetAllKeyspacesResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    GetAllKeyspacesResponse.Builder all =
                            GetAllKeyspacesResponse.newBuilder().setHeader(guard.header());
                    return request.getStartId() == DEFAULT_ID
                            ? all.addKeyspaces(DEFAULT).build()
                            : all.build();
                });
    }

    @Override
    public void updateKeyspaceState(
            UpdateKeyspaceStateRequest request, StreamObserver<UpdateKeyspaceStateResponse> call) {
        Answers.now(
                call,
                () -> {
                    guard.check(request.getHeader());
                    ResponseHeader refusal =
                            request.getId() == DEFAULT_ID
                                    ? guard.error(
                                            ErrorType.UNKNOWN,
                                            "cannot modify default keyspace's state")
                                    : notFound();
                    return UpdateKeyspaceStateResponse.newBuilder().setHeader(refusal).build();
                });
    }

    /** Tells what there is; the stream stays open, for nothing changes. */
    @Override
    public void watchKeyspaces(
            WatchKeyspacesRequest request, StreamObserver<WatchKeyspacesResponse> call) {
        try {
            guard.check(request.getHeader());
            call.onNext(
                    WatchKeyspacesResponse.newBuilder()
                            .setHeader(guard.header())
                            .addKeyspaces(DEFAULT)
                            .build());
        } catch (RuntimeException e) {
            call.onError(Failures.status(e));
        }
    }
}
