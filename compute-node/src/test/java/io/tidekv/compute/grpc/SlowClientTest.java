package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.StreamObserver;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import io.tidekv.proto.kvrpcpb.RawScanRequest;
import io.tidekv.proto.kvrpcpb.RawScanResponse;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client that does not take its answers holds little memory, and holds up nobody. */
class SlowClientTest {
    private static final int MB = 1 << 20;
    private static final int HELD_MAX = 4 * MB;

    /** Each answered with a megabyte. */
    private static final int SCANS = 200;

    /** What fits, and what was begun or was on its way through the network besides. */
    private static final int SERVED_MAX = 40;

    private static final int IN_SERVICE_MAX = 64 * MB;

    /** Views of regions that are asked for, while {@link #opening}. */
    private final BlockingQueue<Runnable> views = new LinkedBlockingQueue<>();

    private volatile boolean opening;
    private final List<ClientCall<RawScanRequest, RawScanResponse>> calls = new ArrayList<>();
    private final Queue<RawScanResponse> taken = new ConcurrentLinkedQueue<>();

    private final KvServer server =
            new KvServer(
                    KvSettings.of(ApiMode.V1).withBytes(IN_SERVICE_MAX, HELD_MAX, 64 * MB),
                    new MemoryRegions(KvServer.CLUSTER, KvServer.STORE, Runnable::run, this::view));
    private final ManagedChannel slow = GrpcTransports.channel(server.address()).build();

    @BeforeEach
    void fill() {
        ByteString value = ByteString.copyFrom(new byte[MB / 4]);
        for (int i = 0; i < 4; i++) {
            TikvGrpc.newBlockingStub(server.channel)
                    .rawPut(Requests.rawPut(server, "k" + i, value));
        }
    }

    @AfterEach
    void stop() {
        slow.shutdownNow();
        server.close();
    }

    private void view(Runnable taking) {
        if (opening) {
            views.add(taking);
        } else {
            taking.run();
        }
    }

    private void opened() {
        opening = false;
        views.forEach(Runnable::run);
    }

    private RawScanRequest scan() {
        return RawScanRequest.newBuilder()
                .setContext(Requests.context(server))
                .setStartKey(ByteString.copyFromUtf8("k"))
                .setLimit(4)
                .build();
    }

    private int scansServed() {
        Pattern line =
                Pattern.compile(
                        "tikv_grpc_msg_duration_seconds_count\\{type=\"raw_scan\"\\} (\\d+)");
        Matcher found = line.matcher(server.metrics.expose());
        return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }

    private void othersAreServed() {
        RawScanResponse answer = TikvGrpc.newBlockingStub(server.channel).rawScan(scan());
        assertThat(answer.hasRegionError()).isFalse();
        assertThat(answer.getKvsCount()).isEqualTo(4);
    }

    @Test
    void requestsOfOneMessageWaitUntilAnswersAreTaken() {
        AtomicInteger answers = new AtomicInteger();
        ClientCall<BatchCommandsRequest, BatchCommandsResponse> call =
                slow.newCall(TikvGrpc.getBatchCommandsMethod(), CallOptions.DEFAULT);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(BatchCommandsResponse message) {
                        answers.addAndGet(message.getResponsesCount());
                        call.request(1);
                    }
                },
                new Metadata());
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        for (int i = 0; i < SCANS; i++) {
            message.addRequestIds(i).addRequests(Request.newBuilder().setRawScan(scan()));
        }
        call.sendMessage(message.build());
        Awaitility.await().until(() -> scansServed() >= HELD_MAX / MB);
        for (int i = 1; i <= 20; i++) {
            othersAreServed();
            assertThat(scansServed()).isLessThan(SERVED_MAX + i);
        }
        call.request(1);
        Awaitility.await().until(() -> answers.get() == SCANS);
        call.halfClose();
    }

    @Test
    void callsAreRefusedUntilAnswersAreTaken() {
        callScans();
        Awaitility.await()
                .until(() -> server.metrics.expose().contains("refused_total{type=\"raw_scan\"}"));
        othersAreServed();
        assertThat(answersWithRows()).isBetween(1L, SCANS - 1L);
        // What has been taken counts no more.
        Awaitility.await()
                .until(() -> TikvGrpc.newBlockingStub(slow).rawScan(scan()).getKvsCount() == 4);
    }

    /** As when a region's tablet is opened, or its objects are fetched. */
    @Test
    void readsThatWaitedAreRefusedWhenAnswersAreNotTaken() {
        opening = true;
        callScans();
        Awaitility.await().until(() -> views.size() == SCANS);
        opened();
        Awaitility.await().until(() -> scansServed() == SCANS);
        // So many answers had been held.
        assertThat(answersWithRows()).isBetween(1L, (long) SERVED_MAX);
    }

    private void callScans() {
        for (int i = 0; i < SCANS; i++) {
            ClientCall<RawScanRequest, RawScanResponse> call =
                    slow.newCall(TikvGrpc.getRawScanMethod(), CallOptions.DEFAULT);
            call.start(
                    new ClientCall.Listener<>() {
                        @Override
                        public void onMessage(RawScanResponse message) {
                            taken.add(message);
                        }
                    },
                    new Metadata());
            call.sendMessage(scan());
            call.halfClose();
            calls.add(call);
        }
    }

    /** Takes all answers: the others say that the server is busy. */
    private long answersWithRows() {
        calls.forEach(call -> call.request(2));
        Awaitility.await().until(() -> taken.size() == SCANS);
        long busy = taken.stream().filter(one -> one.getRegionError().hasServerIsBusy()).count();
        long read = taken.stream().filter(one -> one.getKvsCount() == 4).count();
        assertThat(busy).isEqualTo(SCANS - read);
        return read;
    }

    @Test
    void soManyReadsWaitAndNoMore() {
        opening = true;
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        int most = IN_SERVICE_MAX / Gate.REQUEST_BYTES;
        for (int i = 0; i < most + 1000; i++) {
            message.addRequestIds(i)
                    .addRequests(Request.newBuilder().setRawGet(Requests.rawGet(server, "none")));
        }
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger busy = new AtomicInteger();
        StreamObserver<BatchCommandsRequest> stream =
                TikvGrpc.newStub(server.channel)
                        .batchCommands(
                                new StreamObserver<>() {
                                    @Override
                                    public void onNext(BatchCommandsResponse some) {
                                        some.getResponsesList().stream()
                                                .filter(one -> one.getRawGet().hasRegionError())
                                                .forEach(one -> busy.incrementAndGet());
                                        answered.addAndGet(some.getResponsesCount());
                                    }

                                    @Override
                                    public void onError(Throwable error) {}

                                    @Override
                                    public void onCompleted() {}
                                });
        stream.onNext(message.build());
        Awaitility.await().until(() -> answered.get() == most + 1000 - views.size());
        assertThat(views.size()).isBetween(most * 9 / 10, most);
        assertThat(busy).hasValue(most + 1000 - views.size());
        opened();
        Awaitility.await().until(() -> answered.get() == most + 1000);
        stream.onCompleted();
        othersAreServed();
    }
}
