package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.compute.service.Futures;
import io.tidekv.compute.service.KvCore;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.APIVersion;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every command with requests that are nearly right, in all modes: bytes are lost, changed or
 * repeated, and numbers and keys are extreme. Each is answered, or refused for a reason that the
 * answer tells. {@code -Dmutated=N} sends N to each mode; the default is for every build.
 */
class MutatedRequestsTest {
    private static final long SEED = Long.getLong("seed", 6_071);
    private static final int REQUESTS = Integer.getInteger("mutated", 35_000);
    private static final int WINDOW = 64;
    private static final List<String> TEXTS = List.of("", "default", "lock", "write", "\0", "x");
    private static final List<Long> NUMBERS =
            List.of(0L, 1L, 5L, 10L, 1L << 18, -1L, Long.MIN_VALUE, Long.MAX_VALUE);

    private final Random random = new Random(SEED);
    private final Map<String, Integer> outcomes = new TreeMap<>();

    @ParameterizedTest
    @EnumSource(ApiMode.class)
    void eachIsAnsweredOrRefusedWithItsReason(ApiMode mode) throws InterruptedException {
        System.out.println("seed " + SEED);
        ManualClock clock = new ManualClock();
        AtomicLong ts = new AtomicLong(1_000);
        MemoryRegions regions = new MemoryRegions(7, 1);
        Region whole = regions.regions().get(0);
        whole.split(1, List.of(bytes("b"), bytes("r\0\0\0b"))).join();
        try (ThreadScheduler timers = new ThreadScheduler("test-timers");
                KvCore core =
                        new KvCore(
                                regions,
                                () -> CompletableFuture.completedFuture(ts.incrementAndGet()),
                                KvSettings.of(mode),
                                clock,
                                timers)) {
            InFlight inFlight = new InFlight(64 << 20);
            Gate gate = new Gate(7, inFlight, clock, new KvMetrics(new Metrics(), inFlight));
            List<KvCommand<?, ?>> commands = new CommandTable(core).commands();
            Semaphore window = new Semaphore(WINDOW);
            for (int i = 0; i < REQUESTS; i++) {
                send(gate, commands.get(random.nextInt(commands.size())), regions, mode, window);
            }
            assertThat(window.tryAcquire(WINDOW, 60, TimeUnit.SECONDS)).as("all answered").isTrue();
            System.out.println(mode + ": " + outcomes);
            assertThat(inFlight.bytes()).isZero();
            assertThat(outcomes.values().stream().mapToInt(n -> n).sum()).isEqualTo(REQUESTS);
            assertThat(outcomes.keySet())
                    .isSubsetOf("answered", "region error", "not served", "no message", "status");
        }
    }

    private <Q extends Message, A extends Message> void send(
            Gate gate,
            KvCommand<Q, A> command,
            MemoryRegions regions,
            ApiMode mode,
            Semaphore window)
            throws InterruptedException {
        Q request = request(command, regions, mode);
        if (request == null) {
            count("no message");
            return;
        }
        window.acquire();
        gate.serve(command, request)
                .whenComplete(
                        (answer, error) -> {
                            count(outcome(answer, error));
                            window.release();
                        });
    }

    private synchronized void count(String outcome) {
        outcomes.merge(outcome, 1, Integer::sum);
    }

    private static String outcome(Message answer, Throwable error) {
        if (error != null) {
            Throwable cause = Futures.unwrap(error);
            return cause instanceof StatusRuntimeException ? "status" : cause.toString();
        }
        FieldDescriptor field = answer.getDescriptorForType().findFieldByName("region_error");
        if (field == null || !answer.hasField(field)) {
            return "answered";
        }
        Error region = (Error) answer.getField(field);
        return region.getMessage().startsWith("internal error") ? "INTERNAL" : "region error";
    }

    /** Null when the bytes are no message any more. */
    @SuppressWarnings("unchecked") // a generated marshaller knows its type
    private <Q extends Message> Q request(
            KvCommand<Q, ?> command, MemoryRegions regions, ApiMode mode) {
        var marshaller =
                (MethodDescriptor.PrototypeMarshaller<Q>) command.method().getRequestMarshaller();
        Q empty = marshaller.getMessagePrototype();
        Message.Builder message = empty.newBuilderForType();
        fill(message, mode, 0);
        FieldDescriptor context = empty.getDescriptorForType().findFieldByName("context");
        if (context != null && random.nextInt(5) > 0) {
            message.setField(context, context(regions, mode));
        }
        byte[] bytes = message.build().toByteArray();
        if (random.nextInt(3) == 0) {
            bytes = mutated(bytes);
        }
        try {
            return (Q) empty.getParserForType().parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            return null;
        }
    }

    private byte[] mutated(byte[] bytes) {
        if (bytes.length == 0) {
            return bytes;
        }
        int at = random.nextInt(bytes.length);
        byte[] changed = bytes.clone();
        switch (random.nextInt(4)) {
            case 0 -> changed = Arrays.copyOf(bytes, at);
            case 1 -> changed[at] = (byte) random.nextInt(256);
            case 2 -> changed[at] ^= (byte) (1 << random.nextInt(8));
            default -> {
                changed = Arrays.copyOf(bytes, bytes.length * 2 - at);
                System.arraycopy(bytes, at, changed, bytes.length, bytes.length - at);
            }
        }
        return changed;
    }

    private Context context(MemoryRegions regions, ApiMode mode) {
        List<Region> all = regions.regions();
        Region region = all.get(random.nextInt(all.size()));
        Context.Builder context =
                Context.newBuilder()
                        .setRegionId(region.shape().getRegionId())
                        .setRegionEpoch(
                                RegionEpoch.newBuilder()
                                        .setVersion(region.shape().getVersion())
                                        .setConfVer(region.shape().getConfVer()))
                        .setPeer(Peer.newBuilder().setId(region.shape().getPeerId()).setStoreId(1));
        if (mode == ApiMode.V2) {
            context.setApiVersion(APIVersion.V2);
        }
        if (random.nextInt(10) == 0) {
            context.setMaxExecutionDurationMs(number()).setTerm(number());
        }
        return context.build();
    }

    private void fill(Message.Builder message, ApiMode mode, int depth) {
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (random.nextInt(3) == 0 || field.isMapField()) {
                continue;
            }
            if (field.isRepeated()) {
                for (int i = random.nextInt(4); i > 0; i--) {
                    message.addRepeatedField(field, value(message, field, mode, depth));
                }
            } else if (field.getContainingOneof() == null) {
                message.setField(field, value(message, field, mode, depth));
            }
        }
    }

    private Object value(Message.Builder message, FieldDescriptor field, ApiMode mode, int depth) {
        return switch (field.getJavaType()) {
            case MESSAGE -> {
                Message.Builder inner = message.newBuilderForField(field);
                if (depth < 3) {
                    fill(inner, mode, depth + 1);
                }
                yield inner.build();
            }
            case BYTE_STRING -> key(mode);
            case STRING -> TEXTS.get(random.nextInt(TEXTS.size()));
            case BOOLEAN -> random.nextBoolean();
            case ENUM -> {
                var values = field.getEnumType().getValues();
                yield values.get(random.nextInt(values.size()));
            }
            case INT -> (int) number();
            case LONG -> number();
            case FLOAT -> random.nextFloat();
            case DOUBLE -> random.nextDouble();
        };
    }

    private long number() {
        return random.nextInt(8) == 0
                ? random.nextLong()
                : NUMBERS.get(random.nextInt(NUMBERS.size()));
    }

    private ByteString key(ApiMode mode) {
        int kind = random.nextInt(40);
        if (kind == 0) {
            return ByteString.copyFrom(new byte[9_000]);
        }
        if (kind < 4) {
            byte[] noise = new byte[random.nextInt(20)];
            random.nextBytes(noise);
            return ByteString.copyFrom(noise);
        }
        String letter = kind < 6 ? "" : String.valueOf((char) ('a' + random.nextInt(4)));
        String prefix = mode == ApiMode.V2 ? List.of("r\0\0\0", "x\0\0\0").get(kind % 2) : "";
        return ByteString.copyFromUtf8(prefix + letter);
    }

    private static byte[] bytes(String text) {
        return ByteString.copyFromUtf8(text).toByteArray();
    }
}
