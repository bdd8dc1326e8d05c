package io.tidekv.pd.grpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.pd.log.NotLeaderException;
import io.tidekv.pd.schedule.OrderException;
import io.tidekv.proto.pdstate.Failure;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one place where what goes wrong in PD becomes a gRPC status. */
final class Failures {
    private static final Logger log = LoggerFactory.getLogger(Failures.class);

    private Failures() {}

    static StatusRuntimeException status(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof StatusRuntimeException status) {
            return status;
        } else if (cause instanceof NotLeaderException) {
            return with(Status.UNAVAILABLE, cause);
        } else if (cause instanceof TimeoutException) {
            return Status.UNAVAILABLE
                    .withDescription("not leader: no majority of PD nodes answers")
                    .asRuntimeException();
        } else if (cause instanceof OrderException order) {
            return with(
                    switch (order.kind()) {
                        case NOT_FOUND -> Status.NOT_FOUND;
                        case INVALID -> Status.INVALID_ARGUMENT;
                        case BUSY, UNSERVED, CANCELLED -> Status.ABORTED;
                        case TIMEOUT -> Status.DEADLINE_EXCEEDED;
                    },
                    cause);
        } else if (cause instanceof IllegalArgumentException) {
            return with(Status.INVALID_ARGUMENT, cause);
        }
        log.error("a call failed inside PD", cause);
        return Status.INTERNAL.withDescription("PD failed; see its log").asRuntimeException();
    }

    /** A refused command. */
    static StatusRuntimeException refused(Failure failure) {
        Status status =
                switch (failure.getKind()) {
                    case NOT_FOUND -> Status.NOT_FOUND;
                    case STALE -> Status.ABORTED;
                    case FENCED, MISMATCH -> Status.FAILED_PRECONDITION;
                    default -> Status.INVALID_ARGUMENT;
                };
        return status.withDescription(failure.getMessage()).asRuntimeException();
    }

    private static StatusRuntimeException with(Status status, Throwable cause) {
        return status.withDescription(cause.getMessage()).asRuntimeException();
    }
}
