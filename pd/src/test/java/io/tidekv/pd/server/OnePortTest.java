package io.tidekv.pd.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.tidekv.common.Randomness;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.proto.cluster.ClusterGrpc;
import io.tidekv.proto.pdpb.GetMembersRequest;
import io.tidekv.proto.pdpb.PDGrpc;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The port under fire: whatever comes, everybody else is served. */
class OnePortTest {
    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    private static final byte[] SETTINGS = {0, 0, 0, 4, 0, 0, 0, 0, 0};

    @TempDir static Path temp;

    private static PdServer pd;
    private static ManagedChannel channel;

    @BeforeAll
    static void start() throws IOException {
        pd = PdServer.start(PdServerTest.config(temp.resolve("pd"), Map.of()));
        channel = GrpcTransports.channel("127.0.0.1:" + pd.port()).build();
    }

    @AfterAll
    static void stop() {
        channel.shutdownNow();
        pd.close();
    }

    @AfterEach
    void everybodyElseIsServed() throws IOException {
        assertThat(
                        PDGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(10, TimeUnit.SECONDS)
                                .getMembers(GetMembersRequest.getDefaultInstance())
                                .getMembersCount())
                .isEqualTo(1);
        assertThat(exchange("GET /pd/api/v1/ping HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.1 200");
    }

    @Test
    void noise() throws IOException {
        long seed = Long.getLong("tidekv.seed", 7);
        Randomness random = Randomness.seeded(seed);
        for (int i = 0; i < 300; i++) {
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            try (Socket socket = connect()) {
                socket.getOutputStream().write(noise);
            }
        }
    }

    @Test
    void aPrefaceInPieces() throws IOException {
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            socket.setTcpNoDelay(true);
            for (char c : PREFACE.toCharArray()) {
                out.write(c);
                out.flush();
            }
            out.write(SETTINGS);
            byte[] head = socket.getInputStream().readNBytes(9);
            assertThat(head[3]).as("a SETTINGS frame").isEqualTo((byte) 4);
        }
    }

    @Test
    void almostAPreface() throws IOException {
        assertThat(exchange("PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n")).startsWith("HTTP/1.1 ");
        assertThat(exchange("GET\r\n\r\n")).startsWith("HTTP/1.1 400");
    }

    @Test
    void severalRequestsOnAConnection() throws IOException {
        String one = "GET /pd/api/v1/ping HTTP/1.1\r\nHost: x\r\n\r\n";
        String last = "GET /nosuch HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        String answers = exchange(one + one + last);
        assertThat(answers.split("HTTP/1.1 200", -1)).hasSize(3);
        assertThat(answers).contains("HTTP/1.1 404");
    }

    @Test
    void aBodyThatIsTooLong() throws IOException {
        String head =
                "POST /pd/api/v1/config HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n";
        assertThat(exchange(head)).startsWith("HTTP/1.1 413");
    }

    @Test
    void messagesOfNonsense() {
        long seed = Long.getLong("tidekv.seed", 7);
        Randomness random = Randomness.seeded(seed);
        List<MethodDescriptor<?, ?>> methods = new ArrayList<>();
        methods.addAll(PDGrpc.getServiceDescriptor().getMethods());
        methods.addAll(ClusterGrpc.getServiceDescriptor().getMethods());
        int refused = 0;
        for (int i = 0; i < 1_500; i++) {
            MethodDescriptor<?, ?> method = methods.get(random.nextInt(methods.size()));
            if (method.getType() != MethodDescriptor.MethodType.UNARY) {
                continue;
            }
            byte[] noise = new byte[random.nextInt(40)];
            random.nextBytes(noise);
            try {
                ClientCalls.blockingUnaryCall(
                        channel,
                        raw(method.getFullMethodName()),
                        CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
                        noise);
            } catch (StatusRuntimeException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(500);
    }

    private static MethodDescriptor<byte[], byte[]> raw(String name) {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(name)
                .setRequestMarshaller(new Raw())
                .setResponseMarshaller(new Raw())
                .build();
    }

    private static final class Raw implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static String exchange(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            byte[] answer = socket.getInputStream().readAllBytes();
            return new String(answer, StandardCharsets.ISO_8859_1);
        }
    }

    private static Socket connect() throws IOException {
        Socket socket = new Socket("127.0.0.1", pd.port());
        socket.setSoTimeout(60_000);
        return socket;
    }
}
