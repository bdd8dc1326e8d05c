package io.tidekv.compute.service;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** What futures lack. */
public final class Futures {
    private Futures() {}

    /** The cause that a chain of futures has wrapped. */
    public static Throwable unwrap(Throwable error) {
        Throwable cause = error;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Turns one kind of failure into a result; others stay failures. */
    static <R, E extends Throwable> CompletableFuture<R> recover(
            CompletableFuture<R> future, Class<E> kind, Function<E, R> then) {
        if (future.isDone() && !future.isCompletedExceptionally()) {
            return future;
        }
        return future.handle(
                (value, error) -> {
                    if (error == null) {
                        return value;
                    }
                    Throwable cause = unwrap(error);
                    if (kind.isInstance(cause)) {
                        return then.apply(kind.cast(cause));
                    }
                    throw cause instanceof RuntimeException failure
                            ? failure
                            : new CompletionException(cause);
                });
    }
}
