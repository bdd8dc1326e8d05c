package io.tidekv.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.tidekv.proto.kvrpcpb.BatchRollbackRequest;
import io.tidekv.proto.kvrpcpb.CheckTxnStatusRequest;
import io.tidekv.proto.kvrpcpb.CommitRequest;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.kvrpcpb.RawBatchPutRequest;
import io.tidekv.proto.kvrpcpb.RawCASRequest;
import io.tidekv.proto.kvrpcpb.RawDeleteRangeRequest;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.ResolveLockRequest;
import io.tidekv.proto.kvrpcpb.ScanLockRequest;
import io.tidekv.proto.kvrpcpb.ScanRequest;
import io.tidekv.proto.pdpb.AskBatchSplitRequest;
import io.tidekv.proto.pdpb.GetRegionRequest;
import io.tidekv.proto.pdpb.ScanRegionsRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests that make no sense: each gets an answer or a typed refusal, and the processes stay as
 * they were.
 */
class MalformedRequestsTest {
    private static final long SEED = Long.getLong("seed", 99);
    private static final int REQUESTS = Integer.getInteger("malformed.requests", 3_000);

    @TempDir static Path folder;
    private static Playground playground;

    private final Random random = new Random(SEED);
    private final Map<String, Integer> outcomes = new TreeMap<>();

    @BeforeAll
    static void start() {
        System.out.println("seed " + SEED);
        playground = Playground.start(folder.resolve("cluster"));
    }

    @AfterAll
    static void stop() {
        playground.close();
    }

    @Test
    void everyOneIsRefusedOrAnswered() {
        JsonNode store = playground.ready().get("compute").get(0);
        long storePid = store.get("pid").asLong();
        long pdPid = playground.ready().get("pd_pids").get(0).asLong();
        ManagedChannel kv = playground.channel(store.get("addr").asText());
        ManagedChannel pd = playground.channel(playground.pd());
        try {
            send(kv, pd, REQUESTS / 10);
            int storeThreads = threads(storePid);
            int pdThreads = threads(pdPid);
            long storeMemory = residentKb(storePid);
            send(kv, pd, REQUESTS - REQUESTS / 10);
            System.out.println(outcomes);
            assertThat(outcomes.keySet())
                    .doesNotContain("UNKNOWN", "INTERNAL", "DATA_LOSS", "DEADLINE_EXCEEDED");
            assertThat(threads(storePid))
                    .as("threads of the store")
                    .isLessThanOrEqualTo(storeThreads + 8);
            assertThat(threads(pdPid)).as("threads of PD").isLessThanOrEqualTo(pdThreads + 8);
            assertThat(residentKb(storePid))
                    .as("memory of the store")
                    .isLessThan(storeMemory + 200_000);
        } finally {
            kv.shutdownNow();
            pd.shutdownNow();
        }
    }

    private void send(ManagedChannel kv, ManagedChannel pd, int count) {
        List<Map.Entry<String, Message>> store = List.copyOf(storeMethods().entrySet());
        List<Map.Entry<String, Message>> placement = List.copyOf(pdMethods().entrySet());
        for (int i = 0; i < count; i++) {
            boolean toPd = i % 5 == 0;
            Map.Entry<String, Message> method =
                    toPd
                            ? placement.get(random.nextInt(placement.size()))
                            : store.get(random.nextInt(store.size()));
            byte[] body = body(method.getValue());
            String outcome =
                    call(toPd ? pd : kv, method.getKey(), body, isMessage(method.getValue(), body));
            outcomes.merge(outcome, 1, Integer::sum);
        }
    }

    private byte[] body(Message sample) {
        byte[] bytes = sample.toByteArray();
        switch (random.nextInt(5)) {
            case 0 -> {
                bytes = new byte[random.nextInt(200)];
                random.nextBytes(bytes);
            }
            case 1 -> bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 2 -> {
                for (int i = 0; i <= bytes.length / 16; i++) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                }
            }
            case 3 -> bytes = java.util.Arrays.copyOf(bytes, bytes.length + random.nextInt(64));
            default -> {}
        }
        return bytes;
    }

    private static boolean isMessage(Message sample, byte[] body) {
        try {
            sample.getParserForType().parseFrom(body);
            return true;
        } catch (InvalidProtocolBufferException e) {
            return false;
        }
    }

    private static String call(
            ManagedChannel channel, String method, byte[] body, boolean isMessage) {
        MethodDescriptor<byte[], byte[]> descriptor =
                MethodDescriptor.<byte[], byte[]>newBuilder()
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName(method)
                        .setRequestMarshaller(new Bytes())
                        .setResponseMarshaller(new Bytes())
                        .build();
        try {
            ClientCalls.blockingUnaryCall(
                    channel,
                    descriptor,
                    CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
                    body);
            return "answered";
        } catch (StatusRuntimeException e) {
            // Bytes that are no message never reach a handler: as TiKV's, they are INTERNAL.
            if (!isMessage && e.getStatus().getCode() == Status.Code.INTERNAL) {
                return "refused as no message";
            }
            return e.getStatus().getCode().toString();
        }
    }

    private static Map<String, Message> storeMethods() {
        com.google.protobuf.ByteString a = com.google.protobuf.ByteString.copyFromUtf8("zzz");
        com.google.protobuf.ByteString b = com.google.protobuf.ByteString.copyFromUtf8("aaa");
        Context wrongCluster = Context.newBuilder().setClusterId(12345).setRegionId(2).build();
        Context stale = Context.newBuilder().setRegionId(2).setTerm(1L << 62).build();
        Map<String, Message> methods = new LinkedHashMap<>();
        methods.put(
                "tikvpb.Tikv/RawGet",
                RawGetRequest.newBuilder().setContext(wrongCluster).setKey(a).build());
        methods.put(
                "tikvpb.Tikv/RawPut",
                RawPutRequest.newBuilder()
                        .setContext(stale)
                        .setKey(a)
                        .setValue(b)
                        .setCf("nonsense")
                        .build());
        methods.put(
                "tikvpb.Tikv/RawScan",
                RawScanRequest.newBuilder()
                        .setContext(stale)
                        .setStartKey(a)
                        .setEndKey(b)
                        .setLimit(-1)
                        .build());
        methods.put(
                "tikvpb.Tikv/RawBatchPut",
                RawBatchPutRequest.newBuilder().setContext(stale).addTtls(-1).build());
        methods.put(
                "tikvpb.Tikv/RawDeleteRange",
                RawDeleteRangeRequest.newBuilder()
                        .setContext(stale)
                        .setStartKey(a)
                        .setEndKey(b)
                        .build());
        methods.put(
                "tikvpb.Tikv/RawCompareAndSwap",
                RawCASRequest.newBuilder().setContext(stale).setKey(a).build());
        methods.put(
                "tikvpb.Tikv/KvGet",
                GetRequest.newBuilder().setContext(stale).setKey(a).setVersion(-1).build());
        methods.put(
                "tikvpb.Tikv/KvScan",
                ScanRequest.newBuilder()
                        .setContext(stale)
                        .setStartKey(a)
                        .setEndKey(b)
                        .setLimit(1 << 30)
                        .setVersion(1)
                        .build());
        methods.put(
                "tikvpb.Tikv/KvPrewrite",
                PrewriteRequest.newBuilder()
                        .setContext(stale)
                        .setStartVersion(-5)
                        .setPrimaryLock(a)
                        .build());
        methods.put(
                "tikvpb.Tikv/KvCommit",
                CommitRequest.newBuilder()
                        .setContext(stale)
                        .setStartVersion(9)
                        .setCommitVersion(3)
                        .addKeys(a)
                        .addKeys(a)
                        .build());
        methods.put(
                "tikvpb.Tikv/KvCheckTxnStatus",
                CheckTxnStatusRequest.newBuilder()
                        .setContext(stale)
                        .setPrimaryKey(a)
                        .setLockTs(-1)
                        .build());
        methods.put(
                "tikvpb.Tikv/KvResolveLock",
                ResolveLockRequest.newBuilder().setContext(stale).setStartVersion(0).build());
        methods.put(
                "tikvpb.Tikv/KvBatchRollback",
                BatchRollbackRequest.newBuilder().setContext(stale).addKeys(b).build());
        methods.put(
                "tikvpb.Tikv/KvScanLock",
                ScanLockRequest.newBuilder()
                        .setContext(stale)
                        .setStartKey(a)
                        .setEndKey(b)
                        .setMaxVersion(-1)
                        .build());
        return methods;
    }

    private static Map<String, Message> pdMethods() {
        com.google.protobuf.ByteString a = com.google.protobuf.ByteString.copyFromUtf8("zzz");
        Map<String, Message> methods = new LinkedHashMap<>();
        methods.put("pdpb.PD/GetRegion", GetRegionRequest.newBuilder().setRegionKey(a).build());
        methods.put(
                "pdpb.PD/ScanRegions",
                ScanRegionsRequest.newBuilder().setStartKey(a).setLimit(-7).build());
        methods.put(
                "pdpb.PD/AskBatchSplit",
                AskBatchSplitRequest.newBuilder().setSplitCount(3).build());
        return methods;
    }

    private static int threads(long pid) {
        return (int) statusField(pid, "Threads:");
    }

    private static long residentKb(long pid) {
        return statusField(pid, "VmRSS:");
    }

    private static long statusField(long pid, String name) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                if (line.startsWith(name)) {
                    return Long.parseLong(line.substring(name.length()).replace("kB", "").trim());
                }
            }
            throw new IllegalStateException("no " + name);
        } catch (IOException e) {
            throw new UncheckedIOException("process " + pid + " is gone", e);
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
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
}
