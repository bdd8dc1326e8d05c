package io.tidekv.wal.server;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.cluster.RegisterWalRequest;
import io.tidekv.proto.cluster.RegisterWalResponse;
import io.tidekv.proto.cluster.WalHeartbeatRequest;
import io.tidekv.proto.cluster.WalHeartbeatResponse;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** As much of PD as a WAL node meets. */
final class FakePd extends ClusterGrpc.ClusterImplBase implements AutoCloseable {
    final Map<String, Long> idByUuid = new ConcurrentHashMap<>();
    final Map<Long, String> addressById = new ConcurrentHashMap<>();
    final AtomicInteger heartbeats = new AtomicInteger();
    private final long clusterId;
    private final Server server;
    private final int port;

    FakePd(long clusterId, int wanted) throws IOException {
        this.clusterId = clusterId;
        server =
                GrpcTransports.server(new HostPort("127.0.0.1", wanted))
                        .addService(this)
                        .build()
                        .start();
        this.port = server.getPort();
    }

    int port() {
        return port;
    }

    @Override
    public synchronized void registerWal(
            RegisterWalRequest request, StreamObserver<RegisterWalResponse> out) {
        if (request.getClusterId() != 0 && request.getClusterId() != clusterId) {
            out.onError(
                    Status.FAILED_PRECONDITION
                            .withDescription("this is cluster " + clusterId)
                            .asRuntimeException());
            return;
        }
        long id = idByUuid.computeIfAbsent(request.getUuid(), uuid -> idByUuid.size() + 1L);
        addressById.put(id, request.getAddress());
        out.onNext(RegisterWalResponse.newBuilder().setClusterId(clusterId).setWalId(id).build());
        out.onCompleted();
    }

    @Override
    public void walHeartbeat(
            WalHeartbeatRequest request, StreamObserver<WalHeartbeatResponse> out) {
        heartbeats.incrementAndGet();
        out.onNext(WalHeartbeatResponse.getDefaultInstance());
        out.onCompleted();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }
}
