package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.common.Threads;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** The regions' places as last heard from PD. Thread-safe; never blocks a caller. */
final class Router implements AutoCloseable {
    private static final int QUEUED_MAX = 4096;

    private final PdClient pd;
    private final ExecutorService lookups = Threads.pool("route", 2, QUEUED_MAX);
    private final TreeMap<ByteString, Route> byStart =
            new TreeMap<>(ByteString.unsignedLexicographicalComparator());

    Router(PdClient pd) {
        this.pd = pd;
    }

    /**
     * The region of a stored key. Fails when PD does not know who serves it, or does not answer.
     */
    CompletableFuture<Route> find(ByteString key) {
        Route known = known(key);
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        CompletableFuture<Route> found = new CompletableFuture<>();
        try {
            lookups.execute(() -> lookUp(key, found));
        } catch (RejectedExecutionException e) {
            found.completeExceptionally(new KvFailure("too many lookups wait for PD", e));
        }
        return found;
    }

    /** The route led nowhere: ask PD at the next call. */
    synchronized void forget(Route route) {
        byStart.remove(route.region().getStartKey(), route);
    }

    private void lookUp(ByteString key, CompletableFuture<Route> found) {
        try {
            Route route = known(key);
            if (route == null) {
                route = pd.route(key);
            }
            if (route == null) {
                found.completeExceptionally(new KvFailure("nobody serves this key yet"));
                return;
            }
            synchronized (this) {
                byStart.put(route.region().getStartKey(), route);
            }
            found.complete(route);
        } catch (RuntimeException e) {
            found.completeExceptionally(e);
        }
    }

    private synchronized @Nullable Route known(ByteString key) {
        Map.Entry<ByteString, Route> at = byStart.floorEntry(key);
        return at != null && at.getValue().contains(key) ? at.getValue() : null;
    }

    @Override
    public void close() {
        lookups.shutdownNow();
    }
}
