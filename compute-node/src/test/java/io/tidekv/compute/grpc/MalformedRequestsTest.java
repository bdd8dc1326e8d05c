package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Requests that no client sends: the store answers each and goes on. {@code -Dmalformed.requests=N}
 * sends more of them, {@code -Dseed=N} others.
 */
class MalformedRequestsTest {
    private static final int REQUESTS = Integer.getInteger("malformed.requests", 10_000);
    private static final List<MethodDescriptor<?, ?>> METHODS =
            TikvGrpc.getServiceDescriptor().getMethods().stream()
                    .filter(m -> m.getType() == MethodDescriptor.MethodType.UNARY)
                    .toList();

    /** Sends bytes as they are. */
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
                        throw new UncheckedIOException(e);
                    }
                }
            };

    @Test
    void allAreAnsweredWithoutHarm() throws InterruptedException {
        long seed = Long.getLong("seed", 20_261_122L);
        Random random = new Random(seed);
        Map<Status.Code, Integer> answers = new EnumMap<>(Status.Code.class);
        try (KvServer server = new KvServer(KvSettings.of(ApiMode.V1))) {
            send(server, random, new byte[0], METHODS.get(0)).join();
            int threads = Thread.activeCount();
            Semaphore window = new Semaphore(200);
            for (int i = 0; i < REQUESTS; i++) {
                MethodDescriptor<?, ?> method = METHODS.get(random.nextInt(METHODS.size()));
                byte[] bytes =
                        random.nextInt(4) == 0 ? noise(random) : nonsense(method, random, server);
                if (random.nextInt(8) == 0) {
                    bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
                }
                window.acquire();
                send(server, random, bytes, method)
                        .thenAccept(
                                code -> {
                                    synchronized (answers) {
                                        answers.merge(code, 1, Integer::sum);
                                    }
                                    window.release();
                                });
            }
            assertThat(window.tryAcquire(200, 60, TimeUnit.SECONDS)).as("all answered").isTrue();
            System.out.println("seed " + seed + ": " + answers);
            assertThat(answers.values().stream().mapToInt(n -> n).sum()).isEqualTo(REQUESTS);
            assertThat(answers.keySet())
                    .as("seed %d", seed)
                    .isSubsetOf(
                            Status.Code.OK,
                            Status.Code.UNIMPLEMENTED,
                            Status.Code.INVALID_ARGUMENT,
                            // What TiKV answers to bytes that are no message at all.
                            Status.Code.INTERNAL);
            assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + 12);
            assertThat(server.metrics.expose()).contains("tidekv_grpc_in_flight_bytes 0.0");
            // Some of them have split the region.
            RawPutRequest put =
                    Requests.rawPut(server, "a", ByteString.copyFromUtf8("v")).toBuilder()
                            .setContext(Requests.context(server.regions.holding(new byte[] {'a'})))
                            .build();
            assertThat(TikvGrpc.newBlockingStub(server.channel).rawPut(put).hasRegionError())
                    .isFalse();
        }
    }

    private static CompletableFuture<Status.Code> send(
            KvServer server, Random random, byte[] bytes, MethodDescriptor<?, ?> method) {
        MethodDescriptor<byte[], byte[]> raw =
                MethodDescriptor.newBuilder(BYTES, BYTES)
                        .setFullMethodName(method.getFullMethodName())
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .build();
        CompletableFuture<Status.Code> answer = new CompletableFuture<>();
        ClientCalls.asyncUnaryCall(
                server.channel.newCall(
                        raw, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS)),
                bytes,
                new StreamObserver<>() {
                    @Override
                    public void onNext(byte[] value) {
                        answer.complete(Status.Code.OK);
                    }

                    @Override
                    public void onError(Throwable error) {
                        answer.complete(Status.fromThrowable(error).getCode());
                    }

                    @Override
                    public void onCompleted() {}
                });
        return answer;
    }

    private static byte[] noise(Random random) {
        byte[] bytes = new byte[random.nextInt(60)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** A message whose fields hold extreme values; the routing is right half of the time. */
    @SuppressWarnings("unchecked") // a generated marshaller knows its type
    private static byte[] nonsense(MethodDescriptor<?, ?> method, Random random, KvServer server) {
        var marshaller =
                (MethodDescriptor.PrototypeMarshaller<Message>) method.getRequestMarshaller();
        Message.Builder message = marshaller.getMessagePrototype().newBuilderForType();
        fill(message, random, 0);
        FieldDescriptor context = message.getDescriptorForType().findFieldByName("context");
        if (context != null && random.nextBoolean()) {
            Context.Builder good = Requests.context(server);
            if (random.nextInt(8) == 0) {
                good.setMaxExecutionDurationMs(random.nextInt(3) - 1);
            }
            message.setField(context, good.build());
        }
        return message.build().toByteArray();
    }

    private static void fill(Message.Builder message, Random random, int depth) {
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (random.nextInt(3) == 0 || field.isMapField()) {
                continue;
            }
            if (field.isRepeated()) {
                for (int i = random.nextInt(4); i > 0; i--) {
                    message.addRepeatedField(field, value(message, field, random, depth));
                }
            } else if (field.getContainingOneof() == null) {
                message.setField(field, value(message, field, random, depth));
            }
        }
    }

    private static Object value(
            Message.Builder message, FieldDescriptor field, Random random, int depth) {
        return switch (field.getJavaType()) {
            case MESSAGE -> {
                Message.Builder inner = message.newBuilderForField(field);
                if (depth < 3) {
                    fill(inner, random, depth + 1);
                }
                yield inner.build();
            }
            case BYTE_STRING -> key(random);
            case STRING ->
                    List.of("", "default", "lock", "write", "\u0000", "x").get(random.nextInt(6));
            case BOOLEAN -> random.nextBoolean();
            case ENUM ->
                    field.getEnumType()
                            .getValues()
                            .get(random.nextInt(field.getEnumType().getValues().size()));
            case INT -> List.of(0, 1, -1, 3, Integer.MAX_VALUE).get(random.nextInt(5));
            case LONG -> List.of(0L, 1L, -1L, 5L, 10L, Long.MIN_VALUE).get(random.nextInt(6));
            case FLOAT -> random.nextFloat();
            case DOUBLE -> random.nextDouble();
        };
    }

    private static ByteString key(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> ByteString.EMPTY;
            case 1 -> ByteString.copyFrom(new byte[9_000]);
            case 2 -> ByteString.copyFrom(noise(random));
            default -> ByteString.copyFrom(new byte[] {(byte) ('a' + random.nextInt(4))});
        };
    }
}
