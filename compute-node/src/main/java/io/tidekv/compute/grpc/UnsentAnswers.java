package io.tidekv.compute.grpc;

import io.grpc.Attributes;
import io.grpc.ServerCall;
import io.grpc.ServerTransportFilter;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bytes of answers to unary calls that the client at the other end of one connection has not taken.
 * Thread-safe.
 */
final class UnsentAnswers {
    private static final Attributes.Key<UnsentAnswers> KEY =
            Attributes.Key.create("unsent-answers");

    private final AtomicLong bytes = new AtomicLong();

    /** Gives each connection an account of its own. */
    static ServerTransportFilter filter() {
        return new ServerTransportFilter() {
            @Override
            public Attributes transportReady(Attributes attributes) {
                return attributes.toBuilder().set(KEY, new UnsentAnswers()).build();
            }
        };
    }

    /**
     * The account of the call's connection; one for the call alone on a server without the filter.
     */
    static UnsentAnswers of(ServerCall<?, ?> call) {
        UnsentAnswers account = call.getAttributes().get(KEY);
        return account == null ? new UnsentAnswers() : account;
    }

    long bytes() {
        return bytes.get();
    }

    /** The answer of one call; to be made before the call's method returns. */
    Answer answerOf(ServerCallStreamObserver<?> call) {
        Answer answer = new Answer();
        call.setOnCloseHandler(answer::taken);
        call.setOnCancelHandler(answer::taken);
        return answer;
    }

    /** Counts from when it is known to when the client has it, or has gone. */
    final class Answer {
        private long size;
        private boolean over;

        /** False, having counted nothing, when more than {@code bytesMax} are unsent already. */
        synchronized boolean tryKnown(long answerBytes, long bytesMax) {
            if (bytes.get() > bytesMax) {
                return false;
            }
            known(answerBytes);
            return true;
        }

        synchronized void known(long answerBytes) {
            if (!over) {
                size = answerBytes;
                bytes.addAndGet(size);
            }
        }

        private synchronized void taken() {
            over = true;
            bytes.addAndGet(-size);
            size = 0;
        }
    }
}
