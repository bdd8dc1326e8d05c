package io.tidekv.pd.grpc;

import io.grpc.stub.StreamObserver;
import io.tidekv.proto.pdstate.Result;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** Completes unary calls. */
final class Answers {
    private Answers() {}

    /** Answers with a value that is there at once. */
    static <T> void now(StreamObserver<T> call, Supplier<T> answer) {
        T value;
        try {
            value = answer.get();
        } catch (RuntimeException e) {
            call.onError(Failures.status(e));
            return;
        }
        call.onNext(value);
        call.onCompleted();
    }

    /** Answers when the value is there. */
    static <T> void later(StreamObserver<T> call, Supplier<CompletableFuture<T>> answer) {
        CompletableFuture<T> future;
        try {
            future = answer.get();
        } catch (RuntimeException e) {
            call.onError(Failures.status(e));
            return;
        }
        future.whenComplete(
                (value, failure) -> {
                    if (failure != null) {
                        call.onError(Failures.status(failure));
                    } else {
                        call.onNext(value);
                        call.onCompleted();
                    }
                });
    }

    /** The result of a command; one that was refused fails the call. */
    static <T> Function<Result, T> accepted(Function<Result, T> answer) {
        return result -> {
            if (result.hasFailure()) {
                throw Failures.refused(result.getFailure());
            }
            return answer.apply(result);
        };
    }
}
