package io.tidekv.common.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.tidekv.common.config.HostPort;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class GrpcTransportsTest {
    @Test
    void serverAndChannelMeetOnSharedLoops() throws Exception {
        Server server =
                GrpcTransports.server(new HostPort("127.0.0.1", 0))
                        .addService(new HealthStatusManager().getHealthService())
                        .build()
                        .start();
        ManagedChannel channel = GrpcTransports.channel("127.0.0.1:" + server.getPort()).build();
        try {
            ServingStatus status =
                    HealthGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(5, TimeUnit.SECONDS)
                            .check(HealthCheckRequest.getDefaultInstance())
                            .getStatus();
            assertThat(status).isEqualTo(ServingStatus.SERVING);
            long loops =
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> thread.getName().startsWith("net-"))
                            .count();
            assertThat(loops).isLessThanOrEqualTo(2);
        } finally {
            channel.shutdownNow();
            server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }
}
