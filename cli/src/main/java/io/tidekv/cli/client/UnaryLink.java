package io.tidekv.cli.client;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A call of its own for each command, as client-java does it. */
final class UnaryLink implements StoreLink {
    private final ManagedChannel channel;
    private final long timeoutMillis;

    UnaryLink(ManagedChannel channel, long timeoutMillis) {
        this.channel = channel;
        this.timeoutMillis = timeoutMillis;
    }

    @Override
    public <Q, A> CompletableFuture<A> send(Command<Q, A> command, Q request) {
        CompletableFuture<A> answer = new CompletableFuture<>();
        CallOptions options =
                CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS);
        ClientCalls.asyncUnaryCall(
                channel.newCall(command.method(), options), request, observer(answer));
        return answer;
    }

    private static <A> StreamObserver<A> observer(CompletableFuture<A> answer) {
        return new StreamObserver<>() {
            @Override
            public void onNext(A value) {
                answer.complete(value);
            }

            @Override
            public void onError(Throwable t) {
                answer.completeExceptionally(t);
            }

            @Override
            public void onCompleted() {}
        };
    }

    @Override
    public void connectSoon() {
        channel.resetConnectBackoff();
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
