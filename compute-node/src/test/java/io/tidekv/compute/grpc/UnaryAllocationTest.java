package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.tikvpb.TikvGrpc;
import io.tidekv.proto.tikvpb.TikvGrpc.TikvBlockingStub;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/**
 * What the server's threads allocate for a unary call, from the socket and back to it, over a store
 * in memory and a real gRPC server.
 */
class UnaryAllocationTest {
    private static final int CALLS = 200;

    /** The compiler works beside the test: what counts is what it gets to. */
    private static final int WINDOWS = 60;

    private static final int MAX = 10 << 10;
    private static final ByteString VALUE = ByteString.copyFrom(new byte[256]);
    private static final Context CONTEXT =
            Context.newBuilder()
                    .setRegionId(2)
                    .setRegionEpoch(RegionEpoch.newBuilder().setVersion(1).setConfVer(1))
                    .setPeer(Peer.newBuilder().setId(3).setStoreId(1))
                    .build();

    @Test
    void aUnaryGetAndPutTakeLittle() {
        try (KvServer server = new KvServer(KvSettings.of(ApiMode.V1))) {
            TikvBlockingStub stub =
                    TikvGrpc.newBlockingStub(server.channel).withDeadlineAfter(1, TimeUnit.MINUTES);
            long put =
                    perCall(
                            i ->
                                    stub.rawPut(
                                            RawPutRequest.newBuilder()
                                                    .setContext(CONTEXT)
                                                    .setKey(key(i))
                                                    .setValue(VALUE)
                                                    .build()));
            long get =
                    perCall(
                            i ->
                                    assertThat(
                                                    stub.rawGet(
                                                                    RawGetRequest.newBuilder()
                                                                            .setContext(CONTEXT)
                                                                            .setKey(key(i))
                                                                            .build())
                                                            .getValue())
                                            .isEqualTo(VALUE));
            System.out.println("bytes allocated per unary raw get: " + get + ", put: " + put);
            assertThat(get).isBetween(1L, (long) MAX);
            assertThat(put).isBetween(1L, (long) MAX);
        }
    }

    private static ByteString key(int i) {
        return ByteString.copyFromUtf8("key-" + i);
    }

    /** The least of several windows, the last of which is the first that is small enough. */
    private static long perCall(IntConsumer call) {
        long least = Long.MAX_VALUE;
        for (int window = 0; window < WINDOWS && least > MAX; window++) {
            long before = allocated();
            for (int i = 0; i < CALLS; i++) {
                call.accept(i);
            }
            least = Math.min(least, (allocated() - before) / CALLS);
        }
        return least;
    }

    /** By the event loops of servers; nothing else of a call runs elsewhere. */
    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long bytes = 0;
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith("serve")) {
                bytes += threads.getThreadAllocatedBytes(thread.getThreadId());
            }
        }
        return bytes;
    }
}
