package io.tidekv.wal.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.tidekv.common.Randomness;
import io.tidekv.common.config.HostPort;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.SystemClock;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.Hello;
import io.tidekv.proto.wal.WalErrorCode;
import io.tidekv.proto.wal.WalGrpc;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalRequests;
import io.tidekv.proto.wal.WalResponses;
import io.tidekv.wal.service.ServiceOptions;
import io.tidekv.wal.service.VoterService;
import io.tidekv.wal.storage.MemoryWalFiles;
import io.tidekv.wal.storage.NodeIdentity;
import io.tidekv.wal.storage.SegmentStore;
import io.tidekv.wal.storage.StorageOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bytes that no client of ours would send. */
class BadInputTest {
    private static final NodeIdentity IDENTITY = new NodeIdentity(new UUID(1, 2), 7, 3);

    private VoterService service;
    private Server server;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws IOException {
        SegmentStore store =
                SegmentStore.open(
                        new MemoryWalFiles(), IDENTITY.uuid(), new StorageOptions(1 << 20, 0));
        service =
                VoterService.start(
                        "writer",
                        store,
                        new ServiceOptions(1 << 20, Duration.ofSeconds(2)),
                        SystemClock.INSTANCE,
                        Randomness.seeded(1),
                        new Metrics());
        server =
                GrpcTransports.server(new HostPort("127.0.0.1", 0))
                        .directExecutor()
                        .addService(new WalEndpoint(service, () -> IDENTITY))
                        .build()
                        .start();
        channel = GrpcTransports.channel("127.0.0.1:" + server.getPort()).build();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        server.shutdownNow();
        service.close();
    }

    /** A call that sends raw bytes and keeps what comes back. */
    private static final class RawCall extends ClientCall.Listener<byte[]> {
        final BlockingQueue<Object> events = new ArrayBlockingQueue<>(1000);
        final ClientCall<byte[], byte[]> call;

        RawCall(ManagedChannel channel) {
            call =
                    channel.newCall(
                            WalGrpc.getSessionMethod().toBuilder(BYTES, BYTES).build(),
                            CallOptions.DEFAULT);
            call.start(this, new Metadata());
            call.request(1000);
        }

        @Override
        public void onMessage(byte[] message) {
            events.add(message);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            events.add(status);
        }

        Status.Code end() throws InterruptedException {
            Object event = events.poll(5, TimeUnit.SECONDS);
            while (event instanceof byte[]) {
                event = events.poll(5, TimeUnit.SECONDS);
            }
            return event instanceof Status status ? status.getCode() : Status.Code.OK;
        }

        WalResponses answer() throws Exception {
            return WalResponses.parseFrom((byte[]) events.poll(5, TimeUnit.SECONDS));
        }
    }

    private static final MethodDescriptor.Marshaller<byte[]> BYTES =
            new MethodDescriptor.Marshaller<>() {
                @Override
                public InputStream stream(byte[] value) {
                    return new ByteArrayInputStream(value);
                }

                @Override
                public byte[] parse(InputStream stream) {
                    try {
                        return stream.readAllBytes();
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
            };

    private static WalRequests hello() {
        Owner owner = Owner.newBuilder().setStoreId(1).setIncarnation(1).build();
        return WalRequests.newBuilder()
                .setHello(Hello.newBuilder().setClusterId(7).setWalId(3).setOwner(owner))
                .build();
    }

    @Test
    void streamsThatBreakTheProtocolEndWithATypedStatus() throws Exception {
        RawCall noHello = new RawCall(channel);
        noHello.call.sendMessage(new byte[0]);
        assertThat(noHello.end()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        RawCall twice = new RawCall(channel);
        twice.call.sendMessage(hello().toByteArray());
        twice.call.sendMessage(hello().toByteArray());
        assertThat(twice.end()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        RawCall halfClosed = new RawCall(channel);
        halfClosed.call.sendMessage(hello().toByteArray());
        halfClosed.call.halfClose();
        assertThat(halfClosed.end()).isEqualTo(Status.Code.OK);
    }

    @Test
    void senselessRequestsAreAnsweredAndTheStreamGoesOn() throws Exception {
        RawCall raw = new RawCall(channel);
        raw.call.sendMessage(hello().toByteArray());
        assertThat(raw.answer().getHello().getWalId()).isEqualTo(3);
        for (long region = 0; region < 3; region++) {
            WalRequest empty =
                    WalRequest.newBuilder().setSeq(9 + region).setRegionId(region).build();
            raw.call.sendMessage(WalRequests.newBuilder().addRequests(empty).build().toByteArray());
            var response = raw.answer().getResponses(0);
            assertThat(response.getSeq()).isEqualTo(9 + region);
            assertThat(response.getError().getCode())
                    .isIn(WalErrorCode.INVALID, WalErrorCode.UNKNOWN_REGION);
        }
        assertThat(service.status().get(5, TimeUnit.SECONDS).storage().batches()).isZero();
    }

    @Test
    void randomBytesNeitherStopTheNodeNorReachTheDisk() throws Exception {
        Randomness randomness = Randomness.seeded(3);
        for (int i = 0; i < 300; i++) {
            RawCall raw = new RawCall(channel);
            byte[] bytes = new byte[randomness.nextInt(200)];
            randomness.nextBytes(bytes);
            if (i % 2 == 0) {
                raw.call.sendMessage(hello().toByteArray());
            }
            raw.call.sendMessage(bytes);
            raw.call.halfClose();
            assertThat(raw.events.poll(5, TimeUnit.SECONDS)).isNotNull();
            raw.call.cancel("enough", null);
        }
        assertThat(service.problem()).isEmpty();
        assertThat(service.status().get(5, TimeUnit.SECONDS).storage().batches()).isZero();
    }
}
