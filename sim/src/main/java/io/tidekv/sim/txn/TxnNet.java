package io.tidekv.sim.txn;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.tidekv.compute.service.KvCore;
import io.tidekv.proto.kvrpcpb.Context;
import io.tidekv.sim.Sim;
import io.tidekv.sim.txn.TxnWorld.Route;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Calls of clients: slow, lost on the way there or back, answered by a store that is no longer the
 * owner, or arriving long after the client has given up. A call is repeated until it is answered.
 */
final class TxnNet {
    private static final int ATTEMPTS = 40;
    private static final long TIMEOUT = 400 * Sim.MS;

    private final TxnWorld world;

    TxnNet(TxnWorld world) {
        this.world = world;
    }

    /** No answer came in all attempts: whether it was carried out is not known. */
    static final class Lost extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Lost() {
            super("no answer", null, false, false);
        }
    }

    /**
     * @param build the request for where its key is at present; null gives up this attempt
     */
    <Q extends Message, A extends Message> CompletableFuture<A> call(
            ByteString key,
            Function<Context.Builder, Q> build,
            BiFunction<KvCore, Q, CompletableFuture<A>> method) {
        CompletableFuture<A> result = new CompletableFuture<>();
        attempt(key, build, method, result, 0);
        return result;
    }

    private <Q extends Message, A extends Message> void attempt(
            ByteString key,
            Function<Context.Builder, Q> build,
            BiFunction<KvCore, Q, CompletableFuture<A>> method,
            CompletableFuture<A> result,
            int attempt) {
        if (attempt == ATTEMPTS) {
            result.completeExceptionally(new Lost());
            return;
        }
        Runnable again =
                () ->
                        world.sim()
                                .after(
                                        world.random().nextLong(Sim.MS, 40 * Sim.MS),
                                        "again",
                                        () -> attempt(key, build, method, result, attempt + 1));
        Route route = world.route(key);
        if (route == null) {
            again.run();
            return;
        }
        Context.Builder context = route.context().toBuilder().setIsRetryRequest(attempt > 0);
        Q request = build.apply(context);
        once(route, request, method)
                .whenComplete(
                        (answer, error) -> {
                            if (answer == null) {
                                again.run();
                            } else {
                                result.complete(answer);
                            }
                        });
    }

    /** Null or a failure when there is no answer to be had this time. */
    private <Q extends Message, A extends Message> CompletableFuture<@Nullable A> once(
            Route route, Q request, BiFunction<KvCore, Q, CompletableFuture<A>> method) {
        CompletableFuture<@Nullable A> result = new CompletableFuture<>();
        boolean lostThere = world.isFaulty() && world.random().chance(0.02);
        boolean lostBack = world.isFaulty() && world.random().chance(0.03);
        TxnStore store = route.store();
        long life = store.life();
        world.sim().after(TIMEOUT, "timeout", () -> result.complete(null));
        if (lostThere) {
            return result;
        }
        world.sim()
                .after(
                        latency(),
                        "request",
                        () -> {
                            if (store.life() != life) {
                                return;
                            }
                            @SuppressWarnings("unchecked") // plants keep the type
                            Q arrived = (Q) world.plant().request(world, request);
                            serve(store, arrived, method)
                                    .whenComplete(
                                            (answer, error) -> {
                                                world.served(error);
                                                back(store, life, lostBack, answer, result);
                                            });
                        });
        return result;
    }

    private static <Q, A> CompletableFuture<A> serve(
            TxnStore store, Q request, BiFunction<KvCore, Q, CompletableFuture<A>> method) {
        try {
            return method.apply(store.core(), request);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private <A extends Message> void back(
            TxnStore store,
            long life,
            boolean lost,
            @Nullable A answer,
            CompletableFuture<@Nullable A> result) {
        if (lost || store.life() != life) {
            return;
        }
        @SuppressWarnings("unchecked") // plants keep the type
        A changed = answer == null ? null : (A) world.plant().response(answer);
        world.sim().after(latency(), "answer", () -> result.complete(changed));
    }

    /** Mostly short; now and then so long that the client has given up before. */
    private long latency() {
        boolean late = world.isFaulty() && world.random().chance(0.01);
        return late
                ? world.random().nextLong(TIMEOUT / 2, 3 * TIMEOUT)
                : world.random().nextLong(Sim.MS / 10, 6 * Sim.MS);
    }
}
