package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.tidekv.compute.service.Futures;

/** Binds commands as unary methods. */
final class UnaryCalls {
    private final Gate gate;

    UnaryCalls(Gate gate) {
        this.gate = gate;
    }

    void bind(ServerServiceDefinition.Builder service, KvCommand<?, ?> command) {
        bindTyped(service, command);
    }

    private <Q extends Message, A extends Message> void bindTyped(
            ServerServiceDefinition.Builder service, KvCommand<Q, A> command) {
        ServerCallHandler<Q, A> handler =
                ServerCalls.asyncUnaryCall((request, out) -> serve(command, request, out));
        service.addMethod(command.method(), handler);
    }

    private <Q extends Message, A extends Message> void serve(
            KvCommand<Q, A> command, Q request, StreamObserver<A> out) {
        if (gate.isForeign(command.context().apply(request))) {
            out.onError(
                    Status.INVALID_ARGUMENT
                            .withDescription("the request is for another cluster: check its id")
                            .asRuntimeException());
            return;
        }
        gate.serve(command, request)
                .whenComplete(
                        (answer, error) -> {
                            if (error == null) {
                                out.onNext(answer);
                                out.onCompleted();
                            } else {
                                out.onError(Futures.unwrap(error));
                            }
                        });
    }
}
