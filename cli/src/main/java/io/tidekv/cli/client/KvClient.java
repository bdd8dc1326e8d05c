package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.tidekv.common.Randomness;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.SystemClock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.proto.cluster.ClusterStatusRequest;
import io.tidekv.proto.errorpb.Error;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Sends commands to whoever serves their region, and tries again, after a growing pause, while the
 * region moves, splits or is busy. Thread-safe; answers arrive on network threads, so that what
 * follows must not block.
 */
public final class KvClient implements AutoCloseable {
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration GIVE_UP = Duration.ofSeconds(30);
    private static final Duration TIMESTAMP_PAUSE = Duration.ofMillis(100);
    private static final long PAUSE_MIN_MILLIS = 2;
    private static final long PAUSE_MAX_MILLIS = 500;

    private final PdClient pd;
    private final Clock clock = SystemClock.INSTANCE;
    private final Randomness randomness = Randomness.real();
    private final ThreadScheduler scheduler = new ThreadScheduler("kv-client");
    private final Router router;
    private final Timestamps timestamps;
    private final Map<String, StoreLink> links = new ConcurrentHashMap<>();
    private final Retries retries = new Retries();
    private final boolean batched;
    private final Duration callTimeout;
    private volatile RawDialect rawDialect = RawDialect.PLAIN;

    /**
     * A client that has not connected yet.
     *
     * @param pdEndpoints host:port of PD, several separated by commas
     * @param batched all commands to a store in one stream, or a call for each
     */
    public KvClient(String pdEndpoints, boolean batched) {
        this(pdEndpoints, batched, CALL_TIMEOUT);
    }

    /** The same, with a patience of its own for each call to a store. */
    public KvClient(String pdEndpoints, boolean batched, Duration callTimeout) {
        this.callTimeout = callTimeout;
        this.pd = new PdClient(pdEndpoints);
        this.router = new Router(pd::route);
        this.timestamps = new Timestamps(pd, clock, scheduler);
        this.batched = batched;
    }

    public PdClient pd() {
        return pd;
    }

    /** Asks PD for the API mode and speaks it from now on; until then it is V1. Blocks. */
    public void learnApiMode() {
        rawDialect =
                RawDialect.of(
                        pd.cluster(
                                CALL_TIMEOUT.toMillis(),
                                cluster ->
                                        cluster.clusterStatus(
                                                        ClusterStatusRequest.getDefaultInstance())
                                                .getSettings()
                                                .getApiMode()));
    }

    /** Why commands were sent again, and how often, since the last call. */
    public Map<String, Long> takeRetries() {
        return retries.take();
    }

    RawDialect rawDialect() {
        return rawDialect;
    }

    /** A fresh timestamp of PD, asked for again while PD elects a leader. */
    public CompletableFuture<Long> timestamp() {
        CompletableFuture<Long> result = new CompletableFuture<>();
        timestamp(result, clock.monotonicNanos() + GIVE_UP.toNanos());
        return result;
    }

    private void timestamp(CompletableFuture<Long> result, long giveUpNanos) {
        timestamps
                .next()
                .whenComplete(
                        (timestamp, failure) -> {
                            if (failure == null) {
                                result.complete(timestamp);
                            } else if (clock.monotonicNanos() - giveUpNanos > 0) {
                                result.completeExceptionally(failure);
                            } else {
                                scheduler.after(
                                        TIMESTAMP_PAUSE, () -> timestamp(result, giveUpNanos));
                            }
                        });
    }

    ThreadScheduler scheduler() {
        return scheduler;
    }

    Clock clock() {
        return clock;
    }

    /**
     * Sends one command and returns the answer, which has no region error.
     *
     * @param key stored form of the key that decides the region
     * @param build makes the request for a region
     */
    <Q, A> CompletableFuture<A> call(
            Command<Q, A> command, ByteString key, Function<Route, Q> build) {
        Attempt<Q, A> attempt = new Attempt<>(command, key, build);
        attempt.run();
        return attempt.result;
    }

    private StoreLink link(String address) {
        return links.computeIfAbsent(address, this::connect);
    }

    private StoreLink connect(String address) {
        ManagedChannel channel = GrpcTransports.channel(address).directExecutor().build();
        return batched
                ? new BatchLink(channel, clock, scheduler, callTimeout)
                : new UnaryLink(channel, callTimeout.toMillis());
    }

    @Override
    public void close() {
        scheduler.close();
        router.close();
        timestamps.close();
        links.values().forEach(StoreLink::close);
        pd.close();
    }

    private final class Attempt<Q, A> {
        final CompletableFuture<A> result = new CompletableFuture<>();
        private final Command<Q, A> command;
        private final ByteString key;
        private final Function<Route, Q> build;
        private final long giveUpNanos = clock.monotonicNanos() + GIVE_UP.toNanos();
        private long pauseMillis = PAUSE_MIN_MILLIS;

        Attempt(Command<Q, A> command, ByteString key, Function<Route, Q> build) {
            this.command = command;
            this.key = key;
            this.build = build;
        }

        void run() {
            router.find(key)
                    .whenComplete(
                            (route, failure) -> {
                                if (failure != null) {
                                    again(null, failure);
                                } else {
                                    send(route);
                                }
                            });
        }

        private void send(Route route) {
            link(route.address())
                    .send(command, build.apply(route))
                    .whenComplete(
                            (answer, failure) -> {
                                if (failure != null) {
                                    again(route, failure);
                                } else {
                                    answered(route, answer);
                                }
                            });
        }

        private void answered(Route route, A answer) {
            Error error = command.regionError().apply(answer);
            if (error.equals(Error.getDefaultInstance())) {
                result.complete(answer);
            } else if (error.hasServerIsBusy()) {
                retries.count(Retries.kind(error));
                pause(null, new KvFailure("the store is busy: " + error.getMessage()));
            } else if (error.hasRaftEntryTooLarge()) {
                result.completeExceptionally(new KvFailure(error.getMessage()));
            } else {
                retries.count(Retries.kind(error));
                router.forget(route);
                router.learn(route, error.getEpochNotMatch().getCurrentRegionsList());
                pause(route, new KvFailure(error.getMessage()));
            }
        }

        private void again(@Nullable Route route, Throwable failure) {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null
                            ? failure.getCause()
                            : failure;
            if (cause instanceof KvFailure || passes(cause)) {
                retries.count(Retries.kind(cause));
                if (route != null) {
                    // PD says who is there; a store that was started again is there at once.
                    link(route.address()).connectSoon();
                }
                pause(route, cause);
            } else {
                result.completeExceptionally(cause);
            }
        }

        private boolean passes(Throwable cause) {
            return cause instanceof StatusRuntimeException status
                    && (status.getStatus().getCode() == Status.Code.UNAVAILABLE
                            || status.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED
                            || status.getStatus().getCode() == Status.Code.CANCELLED);
        }

        private void pause(@Nullable Route route, Throwable cause) {
            if (route != null) {
                router.forget(route);
            }
            if (clock.monotonicNanos() - giveUpNanos > 0) {
                result.completeExceptionally(
                        new KvFailure("gave up after 30 s: " + cause.getMessage(), cause));
                return;
            }
            long jittered = randomness.nextLong(pauseMillis / 2, pauseMillis + 1);
            pauseMillis = Math.min(pauseMillis * 2, PAUSE_MAX_MILLIS);
            scheduler.after(Duration.ofMillis(jittered), this::run);
        }
    }
}
