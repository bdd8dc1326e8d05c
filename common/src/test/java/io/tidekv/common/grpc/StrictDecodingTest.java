package io.tidekv.common.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.config.HostPort;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StrictDecodingTest {
    /** A text; "bad" cannot be decoded, by a server at least. */
    private record Text(boolean strict) implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
                if (strict && text.equals("bad")) {
                    throw new IllegalArgumentException("no text");
                }
                return text;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private final List<String> logged = new ArrayList<>();
    private final Handler log =
            new Handler() {
                @Override
                public synchronized void publish(LogRecord entry) {
                    logged.add(entry.getMessage());
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };
    private Server server;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws IOException {
        Logger.getLogger("io.grpc").addHandler(log);
        ServerServiceDefinition service =
                ServerServiceDefinition.builder("test.Echo")
                        .addMethod(
                                method("One", MethodDescriptor.MethodType.UNARY, true),
                                ServerCalls.asyncUnaryCall(
                                        (text, out) -> {
                                            out.onNext(text);
                                            out.onCompleted();
                                        }))
                        .addMethod(
                                method("Many", MethodDescriptor.MethodType.BIDI_STREAMING, true),
                                ServerCalls.asyncBidiStreamingCall(out -> out))
                        .build();
        server =
                GrpcTransports.server(HostPort.parse("127.0.0.1:0"))
                        .addService(StrictDecoding.of(service))
                        .build()
                        .start();
        channel = GrpcTransports.channel("127.0.0.1:" + server.getPort()).build();
    }

    @AfterEach
    void stop() {
        Logger.getLogger("io.grpc").removeHandler(log);
        channel.shutdownNow();
        server.shutdownNow();
    }

    @Test
    void unaryCallsAreAnsweredOrInternal() {
        assertThat(one("good")).isEqualTo("good");
        StatusRuntimeException refusal =
                catchThrowableOfType(StatusRuntimeException.class, () -> one("bad"));
        assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
        assertThat(refusal.getStatus().getDescription()).contains("test.Echo/One");
        assertThat(one("good")).isEqualTo("good");
        assertThat(logged).isEmpty();
    }

    @Test
    void aStreamEndsAtWhatIsNoMessage() throws InterruptedException {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        StreamObserver<String> requests =
                ClientCalls.asyncBidiStreamingCall(
                        channel.newCall(
                                method("Many", MethodDescriptor.MethodType.BIDI_STREAMING, false),
                                CallOptions.DEFAULT),
                        new StreamObserver<>() {
                            @Override
                            public void onNext(String value) {
                                events.add(value);
                            }

                            @Override
                            public void onError(Throwable error) {
                                events.add(Status.fromThrowable(error).getCode().toString());
                            }

                            @Override
                            public void onCompleted() {
                                events.add("completed");
                            }
                        });
        requests.onNext("a");
        assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo("a");
        requests.onNext("bad");
        assertThat(events.poll(20, TimeUnit.SECONDS)).isEqualTo("INTERNAL");
        assertThat(logged).isEmpty();
    }

    private String one(String text) {
        return ClientCalls.blockingUnaryCall(
                channel,
                method("One", MethodDescriptor.MethodType.UNARY, false),
                CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
                text);
    }

    private static MethodDescriptor<String, String> method(
            String name, MethodDescriptor.MethodType type, boolean strict) {
        return MethodDescriptor.newBuilder(new Text(strict), new Text(false))
                .setFullMethodName("test.Echo/" + name)
                .setType(type)
                .build();
    }
}
