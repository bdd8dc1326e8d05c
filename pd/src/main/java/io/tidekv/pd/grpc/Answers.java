package io.tidekv.pd.grpc;

import io.grpc.stub.StreamObserver;
import io.tidekv.proto.pdstate.Result;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/** Completes unary calls, each within a bounded time whatever becomes of its value. */
final class Answers {
    /** More than what a command takes while a leader is elected. */
    private static final Duration AT_MOST = Duration.ofSeconds(30);

    private static final Duration ORDER_MAX = Duration.ofDays(1);

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

    /** Answers when the value is there, or that it is not after {@link #AT_MOST}. */
    static <T> void later(StreamObserver<T> call, Supplier<CompletableFuture<T>> answer) {
        later(call, AT_MOST, answer);
    }

    /**
     * As {@link #later(StreamObserver, Supplier)} for an order that may take its own time.
     *
     * @param ordered what the caller has asked for; a little longer is waited
     */
    static <T> void ordered(
            StreamObserver<T> call, long ordered, Supplier<CompletableFuture<T>> answer) {
        Duration asked = Duration.ofMillis(Math.min(ordered, ORDER_MAX.toMillis()));
        later(call, asked.plus(AT_MOST), answer);
    }

    private static <T> void later(
            StreamObserver<T> call, Duration atMost, Supplier<CompletableFuture<T>> answer) {
        CompletableFuture<T> future;
        try {
            future = answer.get().copy().orTimeout(atMost.toMillis(), TimeUnit.MILLISECONDS);
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
