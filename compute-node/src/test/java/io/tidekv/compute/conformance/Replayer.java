package io.tidekv.compute.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.grpc.KvServer;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.debugpb.DebugGrpc;
import io.tidekv.proto.kvrpcpb.GetLockWaitInfoRequest;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.proto.tikvpb.BatchCommandsRequest;
import io.tidekv.proto.tikvpb.BatchCommandsResponse;
import io.tidekv.proto.tikvpb.TikvGrpc;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Replays cases against a store over memory; PD's part is played here. */
final class Replayer {
    private static final Map<String, MethodDescriptor<?, ?>> METHODS = new HashMap<>();

    static {
        Stream.concat(
                        TikvGrpc.getServiceDescriptor().getMethods().stream(),
                        DebugGrpc.getServiceDescriptor().getMethods().stream())
                .forEach(method -> METHODS.put(method.getFullMethodName(), method));
    }

    private final KvServer server;
    private final ApiMode mode;
    private final Map<String, CompletableFuture<Object>> waiting = new HashMap<>();
    private Symbols symbols = new Symbols(false);
    private int unserved;

    Replayer(KvServer server, ApiMode mode) {
        this.server = server;
        this.mode = mode;
    }

    /** Steps passed over because what they call is not served (UNIMPLEMENTED). */
    int unserved() {
        return unserved;
    }

    /** Empty when the case passes; otherwise the step and what differs. */
    List<String> replay(JsonNode theCase) {
        symbols = new Symbols(mode == ApiMode.V2);
        symbols.bind("cluster_id", KvServer.CLUSTER);
        symbols.bind("store.id", KvServer.STORE);
        int step = 0;
        for (JsonNode node : theCase.get("steps")) {
            step++;
            try {
                List<String> differences = step(node);
                if (!differences.isEmpty()) {
                    return List.of(
                            "step " + step + " " + node.path("rpc").asText(),
                            differences.toString());
                }
            } catch (UnsupportedOperationException e) {
                return List.of("step " + step + " not replayable: " + e.getMessage());
            } catch (RuntimeException e) {
                return List.of("step " + step + " " + node.path("rpc").asText() + ": " + e);
            }
        }
        return List.of();
    }

    private List<String> step(JsonNode step) {
        if (step.has("tso")) {
            symbols.bind(step.get("tso").textValue(), server.timestamp());
        } else if (step.has("sleep_ms")) {
            server.clock.advanceMillis(step.get("sleep_ms").longValue());
        } else if (step.has("region")) {
            bindNamed(step);
        } else if (step.has("join")) {
            Object answer = await(waiting.remove(step.get("join").textValue()));
            return compare(step, answer);
        } else if (step.has("batch_commands")) {
            return batch(step);
        } else if (step.has("http")) {
            return http(step);
        } else if (step.has("stream") && step.has("take")) {
            return serverStream(step);
        } else if (step.has("stream") || step.has("client_stream")) {
            throw new UnsupportedOperationException("streams");
        } else if (step.has("rpc")) {
            return call(step);
        } else if (!step.has("wait_region")) {
            throw new UnsupportedOperationException(step.toString());
        }
        return List.of();
    }

    private List<String> call(JsonNode step) {
        MethodDescriptor<?, ?> method = METHODS.get(step.get("rpc").textValue());
        if (method == null) {
            throw new UnsupportedOperationException(step.get("rpc").textValue());
        }
        if (step.has("route")) {
            bindRoute(step);
        }
        if (step.has("async")) {
            beginWait(method, step);
            return List.of();
        }
        CompletableFuture<Object> answer = unary(method, step.path("request"));
        return compare(step, await(answer));
    }

    /**
     * Recorded cases give the wait a moment to begin, and end it within its second. Here the case
     * goes on once the wait has begun, and it may last as long as the server allows.
     */
    private void beginWait(MethodDescriptor<?, ?> method, JsonNode step) {
        ObjectNode request = step.path("request").deepCopy();
        request.remove("wait_timeout");
        CompletableFuture<Object> answer = unary(method, request);
        long txn = request.get("start_version").longValue();
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> answer.isDone() || isWaiting(txn));
        waiting.put(step.get("async").textValue(), answer);
    }

    private boolean isWaiting(long txn) {
        return TikvGrpc.newBlockingStub(server.channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .getLockWaitInfo(GetLockWaitInfoRequest.getDefaultInstance())
                .getEntriesList()
                .stream()
                .anyMatch(entry -> entry.getTxn() == txn);
    }

    /** One request and the first answers to it. */
    private List<String> serverStream(JsonNode step) {
        MethodDescriptor<?, ?> method = METHODS.get(step.get("rpc").textValue());
        if (method == null) {
            throw new UnsupportedOperationException(step.get("rpc").textValue());
        }
        if (step.has("route")) {
            bindRoute(step);
        }
        JsonNode expected = step.get("responses");
        Iterator<?> answers = stream(method, step.get("stream").get(0));
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < step.get("take").intValue(); i++) {
            if (!answers.hasNext()) {
                return List.of("only " + i + " answers");
            }
            Object shown = ProtoText.show((Message) answers.next());
            differences.addAll(Matcher.match(expected.get(i), shown, symbols));
        }
        return differences;
    }

    @SuppressWarnings("unchecked")
    private <Q, A> Iterator<A> stream(MethodDescriptor<Q, A> method, JsonNode text) {
        var marshaller = (MethodDescriptor.PrototypeMarshaller<Q>) method.getRequestMarshaller();
        Message.Builder request = ((Message) marshaller.getMessagePrototype()).newBuilderForType();
        ProtoText.fill(request, text, symbols);
        return ClientCalls.blockingServerStreamingCall(
                server.channel,
                method,
                CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
                (Q) request.build());
    }

    @SuppressWarnings("unchecked")
    private <Q, A> CompletableFuture<Object> unary(MethodDescriptor<Q, A> method, JsonNode text) {
        var marshaller = (MethodDescriptor.PrototypeMarshaller<Q>) method.getRequestMarshaller();
        Message.Builder request = ((Message) marshaller.getMessagePrototype()).newBuilderForType();
        ProtoText.fill(request, text, symbols);
        CompletableFuture<Object> result = new CompletableFuture<>();
        ClientCalls.asyncUnaryCall(
                server.channel.newCall(
                        method, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS)),
                (Q) request.build(),
                new StreamObserver<A>() {
                    @Override
                    public void onNext(A answer) {
                        result.complete(ProtoText.show((Message) answer));
                    }

                    @Override
                    public void onError(Throwable error) {
                        result.complete(Status.fromThrowable(error));
                    }

                    @Override
                    public void onCompleted() {}
                });
        return result;
    }

    private List<String> compare(JsonNode step, Object answer) {
        if (answer instanceof Status status) {
            String code = step.path("grpc_error").path("code").asText();
            if (code.equals(status.getCode().name())) {
                return List.of();
            }
            if (status.getCode() == Status.Code.UNIMPLEMENTED) {
                unserved++;
                return List.of();
            }
            return step.has("grpc_error")
                    ? List.of("expected " + code + ", got " + status)
                    : List.of("expected " + step.path("response") + ", got " + status);
        }
        if (!step.has("response")) {
            return List.of("expected " + step.path("grpc_error") + ", got " + answer);
        }
        return Matcher.match(step.get("response"), answer, symbols);
    }

    private List<String> batch(JsonNode step) {
        if (step.has("route")) {
            bindRoute(step);
        }
        JsonNode expected = step.path("responses");
        Map<String, Object> answers = new ConcurrentHashMap<>();
        CompletableFuture<Object> end = new CompletableFuture<>();
        StreamObserver<BatchCommandsRequest> requests =
                TikvGrpc.newStub(server.channel)
                        .withDeadlineAfter(20, TimeUnit.SECONDS)
                        .batchCommands(
                                new StreamObserver<>() {
                                    @Override
                                    public void onNext(BatchCommandsResponse message) {
                                        for (int i = 0; i < message.getResponsesCount(); i++) {
                                            String id =
                                                    Long.toUnsignedString(message.getRequestIds(i));
                                            Object old =
                                                    answers.put(
                                                            id,
                                                            ProtoText.show(
                                                                    message.getResponses(i)));
                                            if (old != null) {
                                                end.complete("twice: " + id);
                                            }
                                        }
                                        if (answers.size() == expected.size()) {
                                            end.complete("done");
                                        }
                                    }

                                    @Override
                                    public void onError(Throwable error) {
                                        end.complete(Status.fromThrowable(error));
                                    }

                                    @Override
                                    public void onCompleted() {
                                        end.complete("closed");
                                    }
                                });
        for (JsonNode part : step.get("batch_commands")) {
            BatchCommandsRequest.Builder message = BatchCommandsRequest.newBuilder();
            for (JsonNode entry : part) {
                message.addRequestIds(entry.get("id").longValue());
                BatchCommandsRequest.Request.Builder request =
                        BatchCommandsRequest.Request.newBuilder();
                ProtoText.fill(request, entry.get("request"), symbols);
                message.addRequests(request);
            }
            requests.onNext(message.build());
        }
        Object how = await(end);
        if (how instanceof Status status) {
            return compare(step, status);
        }
        requests.onCompleted();
        return "done".equals(how)
                ? Matcher.match(expected, new HashMap<>(answers), symbols)
                : List.of(how.toString());
    }

    private List<String> http(JsonNode step) {
        String[] what = step.get("http").textValue().split(" ");
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(server.statusUrl() + what[1]))
                        .method(what[0], HttpRequest.BodyPublishers.noBody())
                        .build();
        try {
            HttpResponse<String> answer =
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != step.get("status").intValue()) {
                return List.of("status " + answer.statusCode());
            }
            Object body = symbols.value(new ObjectMapper().readTree(answer.body()));
            return Matcher.match(step.get("response"), plain(body), symbols);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Object plain(Object value) {
        if (!(value instanceof JsonNode node)) {
            return value;
        }
        Map<String, Object> map = new HashMap<>();
        node.properties()
                .forEach(entry -> map.put(entry.getKey(), plain(symbols.value(entry.getValue()))));
        return map;
    }

    private void bindRoute(JsonNode step) {
        ByteString key = ProtoText.unescape((String) symbols.value(step.get("route")));
        Region region = server.regions.holding(key.toByteArray());
        RegionShape shape = region.shape();
        symbols.bind("region.id", shape.getRegionId());
        symbols.bind("region.conf_ver", shape.getConfVer());
        symbols.bind("region.version", shape.getVersion());
        symbols.bind("region.start_key", ProtoText.escape(shape.getStartKey()));
        symbols.bind("region.end_key", ProtoText.escape(shape.getEndKey()));
        symbols.bind("peer.id", shape.getPeerId());
    }

    private void bindNamed(JsonNode step) {
        String name = step.get("region").textValue();
        ByteString key = ProtoText.unescape((String) symbols.value(step.get("route")));
        RegionShape shape = server.regions.holding(key.toByteArray()).shape();
        symbols.bind(name + ".id", shape.getRegionId());
        symbols.bind(name + ".conf_ver", shape.getConfVer());
        symbols.bind(name + ".version", shape.getVersion());
        symbols.bind(name + ".start_key", ProtoText.escape(shape.getStartKey()));
        symbols.bind(name + ".end_key", ProtoText.escape(shape.getEndKey()));
        symbols.bind(name + ".peer", shape.getPeerId());
    }

    private static Object await(CompletableFuture<Object> future) {
        try {
            return future.get(20, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new StatusRuntimeException(Status.DEADLINE_EXCEEDED);
        }
    }
}
