package io.tidekv.pd.server;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** A bidirectional stream, used step by step. */
final class Calls<Q, A> implements StreamObserver<A> {
    private static final long SECONDS = 10;

    private final BlockingQueue<A> answers = new LinkedBlockingQueue<>();
    private final CompletableFuture<Status> ended = new CompletableFuture<>();
    private final StreamObserver<Q> requests;

    Calls(Function<StreamObserver<A>, StreamObserver<Q>> method) {
        requests = method.apply(this);
    }

    A call(Q request) {
        send(request);
        return next();
    }

    void send(Q request) {
        requests.onNext(request);
    }

    void close() {
        requests.onCompleted();
    }

    A next() {
        try {
            A answer = answers.poll(SECONDS, TimeUnit.SECONDS);
            if (answer == null) {
                throw new AssertionError("no answer; " + ended);
            }
            return answer;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    Status end() {
        try {
            return ended.get(SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("the stream goes on", e);
        }
    }

    @Override
    public void onNext(A answer) {
        answers.add(answer);
    }

    @Override
    public void onError(Throwable failure) {
        ended.complete(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
        ended.complete(Status.OK);
    }
}
