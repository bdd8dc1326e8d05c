package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.service.Futures;
import java.util.Set;

/**
 * Binds commands as unary methods. Who does not take the answers to earlier calls of a connection
 * is told that the server is busy, also in place of the answer to a read that was let in before:
 * reads may wait long for the object store, and what they come back with is known only then.
 */
final class UnaryCalls {
    private static final Set<String> READS =
            Set.of(
                    "kv_get",
                    "kv_batch_get",
                    "kv_buffer_batch_get",
                    "kv_scan",
                    "kv_scan_lock",
                    "mvcc_get_by_key",
                    "mvcc_get_by_start_ts",
                    "raw_get",
                    "raw_batch_get",
                    "raw_scan",
                    "raw_batch_scan");
    private static final String UNTAKEN = "answers to earlier requests have not been taken";

    private final Gate gate;
    private final long unsentBytesMax;

    /**
     * @param unsentBytesMax of answers, for a connection
     */
    UnaryCalls(Gate gate, long unsentBytesMax) {
        this.gate = gate;
        this.unsentBytesMax = unsentBytesMax;
    }

    void bind(ServerServiceDefinition.Builder service, KvCommand<?, ?> command) {
        bindTyped(service, command);
    }

    private <Q extends Message, A extends Message> void bindTyped(
            ServerServiceDefinition.Builder service, KvCommand<Q, A> command) {
        ServerCallHandler<Q, A> handler =
                (call, headers) -> {
                    UnsentAnswers unsent = UnsentAnswers.of(call);
                    return ServerCalls.<Q, A>asyncUnaryCall(
                                    (request, out) -> serve(command, request, out, unsent))
                            .startCall(call, headers);
                };
        service.addMethod(command.method(), handler);
    }

    private <Q extends Message, A extends Message> void serve(
            KvCommand<Q, A> command, Q request, StreamObserver<A> out, UnsentAnswers unsent) {
        if (gate.isForeign(command.context().apply(request))) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription("the request is for another cluster: check its id")
                            .asRuntimeException());
            return;
        }
        if (unsent.bytes() > unsentBytesMax) {
            out.onNext(gate.busy(command, UNTAKEN));
            out.onCompleted();
            return;
        }
        UnsentAnswers.Answer held = unsent.answerOf((ServerCallStreamObserver<A>) out);
        gate.serve(command, request)
                .whenComplete(
                        (answer, error) -> {
                            if (error == null) {
                                out.onNext(counted(command, answer, held));
                                out.onCompleted();
                            } else {
                                out.onError(Futures.unwrap(error));
                            }
                        });
    }

    private <A extends Message> A counted(
            KvCommand<?, A> command, A answer, UnsentAnswers.Answer held) {
        int size = answer.getSerializedSize();
        if (!READS.contains(command.label())) {
            held.known(size);
            return answer;
        }
        return held.tryKnown(size, unsentBytesMax) ? answer : gate.busy(command, UNTAKEN);
    }
}
