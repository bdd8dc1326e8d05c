package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvSettings;
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

    private static final int MAX = 10 << 10;
    private static final ByteString VALUE = ByteString.copyFrom(new byte[256]);

    @Test
    void aUnaryGetAndPutTakeLittle() {
        try (KvServer server = new KvServer(KvSettings.of(ApiMode.V1))) {
            TikvBlockingStub stub =
                    TikvGrpc.newBlockingStub(server.channel).withDeadlineAfter(1, TimeUnit.MINUTES);
            long put = perCall(i -> stub.rawPut(Requests.rawPut(server, "key-" + i, VALUE)));
            long get =
                    perCall(
                            i ->
                                    assertThat(
                                                    stub.rawGet(Requests.rawGet(server, "key-" + i))
                                                            .getValue())
                                            .isEqualTo(VALUE));
            System.out.println("bytes allocated per unary raw get: " + get + ", put: " + put);
            assertThat(get).isBetween(1L, (long) MAX);
            assertThat(put).isBetween(1L, (long) MAX);
        }
    }

    private static long perCall(IntConsumer call) {
        return Windows.least(
                MAX,
                () -> {
                    long before = allocated();
                    for (int i = 0; i < CALLS; i++) {
                        call.accept(i);
                    }
                    return (allocated() - before) / CALLS;
                });
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
