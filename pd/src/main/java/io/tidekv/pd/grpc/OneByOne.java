package io.tidekv.pd.grpc;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A stream in which each request gets one answer, in order. The next request is read once the last
 * one is answered, which bounds what a caller can make PD keep. When the caller has closed its
 * side, the stream ends well after the last answer.
 */
final class OneByOne<Q, A> implements StreamObserver<Q> {
    private final ServerCallStreamObserver<A> answers;
    private final Function<Q, CompletableFuture<A>> handler;
    private boolean answering;
    private boolean closed;
    private boolean over;

    OneByOne(ServerCallStreamObserver<A> answers, Function<Q, CompletableFuture<A>> handler) {
        this.answers = answers;
        this.handler = handler;
        answers.disableAutoRequest();
        answers.setOnCancelHandler(this::cancelled);
        answers.request(1);
    }

    @Override
    public void onNext(Q request) {
        synchronized (this) {
            answering = true;
        }
        CompletableFuture<A> answer;
        try {
            answer = handler.apply(request);
        } catch (RuntimeException e) {
            fail(e);
            return;
        }
        answer.whenComplete(
                (value, failure) -> {
                    if (failure != null) {
                        fail(failure);
                    } else {
                        answered(value);
                    }
                });
    }

    private synchronized void answered(A value) {
        answering = false;
        if (over) {
            return;
        }
        answers.onNext(value);
        if (closed) {
            over = true;
            answers.onCompleted();
        } else {
            answers.request(1);
        }
    }

    private synchronized void fail(Throwable failure) {
        answering = false;
        if (!over) {
            over = true;
            Status status = Failures.status(failure).getStatus();
            answers.onError(status.asRuntimeException());
        }
    }

    @Override
    public synchronized void onCompleted() {
        closed = true;
        if (!answering && !over) {
            over = true;
            answers.onCompleted();
        }
    }

    @Override
    public void onError(Throwable failure) {
        cancelled();
    }

    private synchronized void cancelled() {
        over = true;
    }
}
