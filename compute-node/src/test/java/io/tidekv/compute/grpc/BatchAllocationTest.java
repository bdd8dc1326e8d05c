package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.sun.management.ThreadMXBean;
import io.grpc.stub.ServerCallStreamObserver;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.ManualClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvCore;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.proto.kvrpcpb.RawGetRequest;
import io.tidekv.proto.kvrpcpb.RawPutRequest;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.RegionEpoch;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/**
 * What the service allocates for a request in a batch of 32, from its bytes to the bytes of its
 * answer, over a store in memory.
 */
class BatchAllocationTest {
    private static final int BATCH = 32;
    private static final int ROUNDS = 500;

    private static final int GET_MAX = 2 << 10;
    private static final int PUT_MAX = 4 << 10;
    private static final ByteString VALUE = ByteString.copyFrom(new byte[256]);
    private static final Context CONTEXT =
            Context.newBuilder()
                    .setRegionId(2)
                    .setRegionEpoch(RegionEpoch.newBuilder().setVersion(1).setConfVer(1))
                    .setPeer(Peer.newBuilder().setId(3).setStoreId(1))
                    .build();

    @Test
    void aPointGetTakesLittle() {
        long bytes = perRequest(BatchAllocationTest::get, GET_MAX);
        System.out.println("bytes allocated per raw get: " + bytes);
        assertThat(bytes).isLessThanOrEqualTo(GET_MAX);
    }

    @Test
    void aPutTakesLittle() {
        long bytes = perRequest(BatchAllocationTest::put, PUT_MAX);
        System.out.println("bytes allocated per raw put: " + bytes);
        assertThat(bytes).isLessThanOrEqualTo(PUT_MAX);
    }

    private static Request get(int i) {
        return Request.newBuilder()
                .setRawGet(RawGetRequest.newBuilder().setContext(CONTEXT).setKey(key(i)))
                .build();
    }

    private static Request put(int i) {
        return Request.newBuilder()
                .setRawPut(
                        RawPutRequest.newBuilder()
                                .setContext(CONTEXT)
                                .setKey(key(i))
                                .setValue(VALUE))
                .build();
    }

    private static ByteString key(int i) {
        return ByteString.copyFromUtf8("key-" + i);
    }

    private static long perRequest(IntFunction<Request> kind, int enough) {
        ManualClock clock = new ManualClock();
        try (ThreadScheduler timers = new ThreadScheduler("test-timers");
                KvCore core =
                        new KvCore(
                                new MemoryRegions(7, 1),
                                () -> CompletableFuture.completedFuture(1L),
                                KvSettings.of(ApiMode.V1),
                                clock,
                                timers)) {
            InFlight inFlight = new InFlight(64 << 20);
            Gate gate = new Gate(7, inFlight, clock, new KvMetrics(new Metrics(), inFlight));
            Answers answers = new Answers();
            BatchStream stream =
                    new BatchStream(
                            new CommandTable(core).batched(),
                            gate,
                            32 << 20,
                            Runnable::run,
                            answers);
            stream.onNext(message(BatchAllocationTest::put));
            byte[] bytes = message(kind).toByteArray();
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            AtomicLong rounds = new AtomicLong(1);
            long least =
                    Windows.least(
                            enough,
                            () -> {
                                long before = threads.getCurrentThreadAllocatedBytes();
                                for (int round = 0; round < ROUNDS; round++) {
                                    stream.onNext(decoded(bytes));
                                }
                                rounds.addAndGet(ROUNDS);
                                long after = threads.getCurrentThreadAllocatedBytes();
                                return (after - before) / (ROUNDS * BATCH);
                            });
            assertThat(answers.count).isEqualTo(rounds.get() * BATCH);
            return least;
        }
    }

    private static BatchCommandsRequest decoded(byte[] bytes) {
        try {
            return BatchDecoder.decode(bytes, bytes.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static BatchCommandsRequest message(IntFunction<Request> kind) {
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        for (int i = 0; i < BATCH; i++) {
            message.addRequestIds(i).addRequests(kind.apply(i));
        }
        return message.build();
    }

    /** Takes answers and turns them to bytes, as the transport does. */
    private static final class Answers extends ServerCallStreamObserver<BatchCommandsResponse> {
        private final byte[] buffer = new byte[1 << 20];
        private long count;

        @Override
        public void onNext(BatchCommandsResponse message) {
            count += message.getResponsesCount();
            try {
                message.writeTo(CodedOutputStream.newInstance(buffer));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {}

        @Override
        public void setCompression(String compression) {}

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void disableAutoRequest() {}

        @Override
        public void onError(Throwable error) {
            throw new AssertionError(error);
        }

        @Override
        public void onCompleted() {}
    }
}
