package io.tidekv.compute.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.service.KvSettings;
import io.tidekv.compute.service.MemoryRegions;
import io.tidekv.proto.kvrpcpb.GetRequest;
import io.tidekv.proto.kvrpcpb.PrewriteRequest;
import io.tidekv.proto.tikvpb.BatchCommandsEmptyRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsRequest.Request;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.BatchCommandsResponse.Response;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The promises of a BatchCommands stream. */
class BatchCommandsTest {
    private final Queue<Runnable> log = new ConcurrentLinkedQueue<>();
    private KvServer server = new KvServer(KvSettings.of(ApiMode.V1));

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void everyIdIsAnsweredOnceWithItsOwnKind() {
        Stream stream = new Stream();
        BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
        for (int i = 0; i < 300; i++) {
            message.addRequestIds(7_000_000_000L + i);
            message.addRequests(put("k" + i, "v" + i));
        }
        stream.send(message);
        stream.await(300);
        assertThat(stream.answers.values()).allMatch(Response::hasRawPut);
        BatchCommandsRequest.Builder gets = BatchCommandsRequest.newBuilder();
        for (int i = 0; i < 300; i++) {
            gets.addRequestIds(i);
            gets.addRequests(
                    Request.newBuilder().setRawGet(Requests.rawGet(server, "k" + (i % 300))));
        }
        stream.send(gets);
        stream.await(600);
        for (int i = 0; i < 300; i++) {
            assertThat(stream.answers.get((long) i).getRawGet().getValue().toStringUtf8())
                    .isEqualTo("v" + i);
        }
        assertThat(stream.messages.get()).isLessThan(300);
    }

    @Test
    void halfClosingStillGetsAllAnswers() {
        server = slowServer();
        Stream stream = new Stream();
        stream.send(1, put("a", "1"));
        stream.send(2, put("b", "2"));
        stream.requests.onCompleted();
        Awaitility.await().until(() -> log.size() == 2);
        assertThat(stream.end).isNotDone();
        log.forEach(Runnable::run);
        assertThat(stream.end.orTimeout(60, TimeUnit.SECONDS).join()).isEqualTo(Status.OK);
        assertThat(stream.answers.keySet()).containsExactlyInAnyOrder(1L, 2L);
    }

    @Test
    void aSlowRequestHoldsUpNobody() {
        server = slowServer();
        Stream stream = new Stream();
        stream.send(1, put("a", "1"));
        stream.send(2, Request.newBuilder().setRawGet(Requests.rawGet(server, "x")).build());
        stream.await(1);
        assertThat(stream.answers).containsOnlyKeys(2L);
        log.forEach(Runnable::run);
        stream.await(2);
    }

    @Test
    void unknownAndEmptyCommandsAreAnswered() {
        Stream stream = new Stream();
        stream.send(1, Request.getDefaultInstance());
        stream.send(
                2,
                Request.newBuilder()
                        .setEmpty(BatchCommandsEmptyRequest.newBuilder().setTestId(77))
                        .build());
        stream.send(
                3,
                Request.newBuilder()
                        .setCoprocessor(io.tidekv.proto.coprocessor.Request.getDefaultInstance())
                        .build());
        stream.await(3);
        assertThat(stream.answers.get(1L)).isEqualTo(Response.getDefaultInstance());
        assertThat(stream.answers.get(2L).getEmpty().getTestId()).isEqualTo(77);
        assertThat(stream.answers.get(3L).getCoprocessor().getOtherError())
                .contains("does not serve");
    }

    @Test
    void formsThatAreNotServedAreErrorsNotSuccesses() {
        Stream stream = new Stream();
        stream.send(
                1,
                Request.newBuilder()
                        .setPrewrite(PrewriteRequest.newBuilder().addTxnFileChunks(5))
                        .build());
        stream.await(1);
        assertThat(stream.answers.get(1L).getPrewrite().getErrors(0).getAbort()).contains("file");
    }

    @Test
    void regionErrorsStayInsideTheirAnswers() {
        Stream stream = new Stream();
        BatchCommandsRequest.Builder message =
                BatchCommandsRequest.newBuilder()
                        .addRequestIds(1)
                        .addRequests(
                                Request.newBuilder()
                                        .setGet(
                                                GetRequest.newBuilder()
                                                        .setContext(
                                                                Requests.context(server)
                                                                        .setRegionId(99))))
                        .addRequestIds(2)
                        .addRequests(put("a", "1"));
        stream.send(message);
        stream.await(2);
        assertThat(stream.answers.get(1L).getGet().getRegionError().hasRegionNotFound()).isTrue();
        assertThat(stream.answers.get(2L).getRawPut().hasRegionError()).isFalse();
    }

    @Test
    void aForeignClusterEndsTheStream() {
        Stream stream = new Stream();
        stream.send(
                1,
                Request.newBuilder()
                        .setGet(
                                GetRequest.newBuilder()
                                        .setContext(Requests.context(server).setClusterId(12345)))
                        .build());
        assertThat(stream.end.orTimeout(60, TimeUnit.SECONDS).join().getCode())
                .isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void idsThatDoNotPairUpEndTheStream() {
        Stream stream = new Stream();
        stream.send(BatchCommandsRequest.newBuilder().addRequestIds(1));
        assertThat(stream.end.orTimeout(60, TimeUnit.SECONDS).join().getCode())
                .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void aStreamWithTooMuchInFlightIsNotReadFurther() {
        server.close();
        KvSettings settings = KvSettings.of(ApiMode.V1).withBytes(1 << 30, 200_000, 64 << 20);
        server =
                new KvServer(
                        settings, new MemoryRegions(KvServer.CLUSTER, KvServer.STORE, log::add));
        Stream stream = new Stream();
        ByteString value = ByteString.copyFrom(new byte[50_000]);
        for (int i = 0; i < 100; i++) {
            stream.send(
                    i,
                    Request.newBuilder()
                            .setRawPut(Requests.rawPut(server, "k" + i, value))
                            .build());
        }
        Awaitility.await().until(() -> log.size() >= 4);
        assertThat(log.size()).isLessThan(10);
        List<Integer> most = new ArrayList<>();
        Awaitility.await()
                .pollInterval(1, TimeUnit.MILLISECONDS)
                .until(
                        () -> {
                            most.add(log.size());
                            Runnable next = log.poll();
                            if (next != null) {
                                next.run();
                            }
                            return stream.answers.size() == 100;
                        });
        assertThat(most).allMatch(size -> size < 10);
    }

    @Test
    void withoutRoomInAllRequestsAreRefusedAsBusy() {
        server.close();
        KvSettings settings = KvSettings.of(ApiMode.V1).withBytes(100_000, 1 << 30, 64 << 20);
        server =
                new KvServer(
                        settings, new MemoryRegions(KvServer.CLUSTER, KvServer.STORE, log::add));
        Stream stream = new Stream();
        ByteString value = ByteString.copyFrom(new byte[60_000]);
        stream.send(1, Request.newBuilder().setRawPut(Requests.rawPut(server, "a", value)).build());
        stream.send(2, Request.newBuilder().setRawPut(Requests.rawPut(server, "b", value)).build());
        stream.await(1);
        assertThat(stream.answers.get(2L).getRawPut().getRegionError().hasServerIsBusy()).isTrue();
        log.forEach(Runnable::run);
        stream.await(2);
        assertThat(stream.answers.get(1L).getRawPut().hasRegionError()).isFalse();
        assertThat(server.metrics.expose()).contains("tidekv_grpc_in_flight_bytes 0.0");
    }

    private KvServer slowServer() {
        server.close();
        return new KvServer(
                KvSettings.of(ApiMode.V1),
                new MemoryRegions(KvServer.CLUSTER, KvServer.STORE, log::add));
    }

    private Request put(String key, String value) {
        return Request.newBuilder()
                .setRawPut(Requests.rawPut(server, key, ByteString.copyFromUtf8(value)))
                .build();
    }

    /** A client's end of a stream. */
    private final class Stream
            implements ClientResponseObserver<BatchCommandsRequest, BatchCommandsResponse> {
        final Map<Long, Response> answers = new ConcurrentHashMap<>();
        final AtomicInteger messages = new AtomicInteger();
        final AtomicInteger twice = new AtomicInteger();
        final CompletableFuture<Status> end = new CompletableFuture<>();
        ClientCallStreamObserver<BatchCommandsRequest> requests;

        Stream() {
            TikvGrpc.newStub(server.channel).batchCommands(this);
        }

        void send(BatchCommandsRequest.Builder message) {
            requests.onNext(message.build());
        }

        void send(long id, Request request) {
            send(BatchCommandsRequest.newBuilder().addRequestIds(id).addRequests(request));
        }

        void await(int count) {
            Awaitility.await().until(() -> answers.size() == count);
            assertThat(twice).hasValue(0);
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<BatchCommandsRequest> stream) {
            requests = stream;
        }

        @Override
        public void onNext(BatchCommandsResponse message) {
            messages.incrementAndGet();
            for (int i = 0; i < message.getResponsesCount(); i++) {
                if (answers.put(message.getRequestIds(i), message.getResponses(i)) != null) {
                    twice.incrementAndGet();
                }
            }
        }

        @Override
        public void onError(Throwable error) {
            end.complete(Status.fromThrowable(error));
        }

        @Override
        public void onCompleted() {
            end.complete(Status.OK);
        }
    }
}
