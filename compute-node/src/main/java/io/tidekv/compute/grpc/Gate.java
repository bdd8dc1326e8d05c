package io.tidekv.compute.grpc;

import com.google.protobuf.Message;
import io.grpc.Status;
import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.common.error.RegionErrors;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.service.Futures;
import io.tidekv.proto.errorpb.Error;
import io.tidekv.proto.kvrpcpb.Context;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where every request enters: cluster id, room, time, and the mapping of failures to answers.
 * Thread-safe.
 */
final class Gate {
    private static final Logger log = LoggerFactory.getLogger(Gate.class);
    private static final long BACKOFF_MS = 200;

    /** What a request counts for besides its bytes: those that wait are held as objects. */
    static final int REQUEST_BYTES = 4 << 10;

    private final long clusterId;
    private final InFlight inFlight;
    private final Clock clock;
    private final KvMetrics metrics;

    Gate(long clusterId, InFlight inFlight, Clock clock, KvMetrics metrics) {
        this.clusterId = clusterId;
        this.inFlight = inFlight;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** True when the request is meant for another cluster. */
    boolean isForeign(Context context) {
        return context.getClusterId() != 0 && context.getClusterId() != clusterId;
    }

    /**
     * Serves a request. The future gives an answer or, where that cannot carry an error, fails with
     * a status exception.
     */
    <Q extends Message, A extends Message> CompletableFuture<A> serve(
            KvCommand<Q, A> command, Q request) {
        long bytes = (long) REQUEST_BYTES + request.getSerializedSize();
        if (!inFlight.tryEnter(bytes)) {
            return CompletableFuture.completedFuture(
                    busy(command, "too many requests are in service, or too many bytes of them"));
        }
        long begin = clock.monotonicNanos();
        CompletableFuture<A> served = call(command, request);
        if (served.isDone() && !served.isCompletedExceptionally()) {
            inFlight.leave(bytes);
            metrics.served(command.label(), clock.monotonicNanos() - begin);
            return served;
        }
        CompletableFuture<A> result = new CompletableFuture<>();
        served.whenComplete(
                (answer, error) -> {
                    inFlight.leave(bytes);
                    metrics.served(command.label(), clock.monotonicNanos() - begin);
                    if (error == null) {
                        result.complete(answer);
                    } else {
                        fail(command, Futures.unwrap(error), result);
                    }
                });
        return result;
    }

    /** The answer to a request that there is no room for. */
    <Q extends Message, A extends Message> A busy(KvCommand<Q, A> command, String reason) {
        metrics.refused(command.label());
        return answer(command, RegionErrors.of(new KvError.ServerIsBusy(reason, BACKOFF_MS)));
    }

    private static <Q extends Message, A extends Message> CompletableFuture<A> call(
            KvCommand<Q, A> command, Q request) {
        try {
            return command.handler().apply(request);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private <Q extends Message, A extends Message> void fail(
            KvCommand<Q, A> command, Throwable error, CompletableFuture<A> result) {
        Error told;
        if (error instanceof KvException known) {
            told = RegionErrors.of(known.error());
            metrics.failed(command.label(), known.error());
        } else {
            log.error("a {} request failed for an unknown reason", command.label(), error);
            told = Error.newBuilder().setMessage("internal error: see the server's log").build();
        }
        if (RegionErrors.fits(command.empty())) {
            result.complete(answer(command, told));
        } else {
            result.completeExceptionally(
                    Status.UNAVAILABLE.withDescription(told.getMessage()).asRuntimeException());
        }
    }

    private static <Q extends Message, A extends Message> A answer(
            KvCommand<Q, A> command, Error error) {
        return RegionErrors.response(command.empty(), error);
    }
}
