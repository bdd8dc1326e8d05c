package io.tidekv.cli.client;

import com.google.protobuf.ByteString;
import io.tidekv.common.Threads;
import io.tidekv.proto.metapb.Peer;
import io.tidekv.proto.metapb.Region;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The regions' places as last heard from PD. Who looks for the same region at the same time shares
 * one lookup, so that those who wait for a region that moves do not queue up at PD. Thread-safe;
 * never blocks a caller.
 */
final class Router implements AutoCloseable {
    private static final int LOOKUPS = 2;
    private static final int WANTED_MAX = 100_000;

    private record Wanted(ByteString key, CompletableFuture<Route> found) {}

    private final Function<ByteString, @Nullable Route> pd;
    private final ExecutorService lookups = Threads.pool("route", LOOKUPS, LOOKUPS);
    // Guarded by this.
    private final TreeMap<ByteString, Route> byStart =
            new TreeMap<>(ByteString.unsignedLexicographicalComparator());
    private final Set<Wanted> wanted = new LinkedHashSet<>();
    private final Set<Wanted> lookedUp = new HashSet<>();
    private int running;

    /** {@code pd} tells whose a key is, null when it does not know its region; it may block. */
    Router(Function<ByteString, @Nullable Route> pd) {
        this.pd = pd;
    }

    /**
     * The region of a stored key. Fails when PD does not know who serves it, or does not answer.
     */
    CompletableFuture<Route> find(ByteString key) {
        Wanted want = new Wanted(key, new CompletableFuture<>());
        synchronized (this) {
            Route known = known(key);
            if (known != null) {
                return CompletableFuture.completedFuture(known);
            }
            if (wanted.size() >= WANTED_MAX) {
                return CompletableFuture.failedFuture(
                        new KvFailure("too many lookups wait for PD"));
            }
            wanted.add(want);
            if (running < LOOKUPS) {
                running++;
                lookups.execute(this::lookUpAll);
            }
        }
        return want.found;
    }

    /** The route led nowhere: ask PD at the next call. */
    synchronized void forget(Route route) {
        byStart.remove(route.region().getStartKey(), route);
    }

    /**
     * The store that {@code asked} led to has told which regions it has there now, as it does after
     * a split or a merge: they are found without PD.
     */
    void learn(Route asked, List<Region> current) {
        for (Region region : current) {
            for (Peer peer : region.getPeersList()) {
                if (peer.getStoreId() == asked.leader().getStoreId()) {
                    learn(new Route(region, peer, asked.address()));
                }
            }
        }
    }

    private void lookUpAll() {
        Wanted want = next();
        while (want != null) {
            lookUp(want);
            want = next();
        }
    }

    /** The first that nobody looks up yet; null ends the caller's turn. */
    private synchronized @Nullable Wanted next() {
        for (Wanted want : wanted) {
            if (lookedUp.add(want)) {
                return want;
            }
        }
        running--;
        return null;
    }

    private void lookUp(Wanted want) {
        try {
            Route route = pd.apply(want.key);
            if (route == null || !route.isServed()) {
                RuntimeException nobody = new KvFailure("nobody serves this key yet");
                take(one -> one.equals(want) || (route != null && route.contains(one.key)))
                        .forEach(one -> one.found.completeExceptionally(nobody));
                return;
            }
            Route newest = learn(route);
            List<Wanted> answered = take(one -> one.equals(want) || newest.contains(one.key));
            for (Wanted one : answered) {
                // What PD said may be older than what is known by now, and lead nowhere.
                one.found.complete(newest.contains(one.key) ? newest : route);
            }
        } catch (RuntimeException e) {
            // PD does not answer: that concerns everybody who waits for it.
            take(one -> true).forEach(one -> one.found.completeExceptionally(e));
        } finally {
            synchronized (this) {
                lookedUp.remove(want);
            }
        }
    }

    /** Keeps what is newer: answers may overtake each other. */
    private synchronized Route learn(Route route) {
        Route known = byStart.get(route.region().getStartKey());
        if (known != null && known.isNewerThan(route)) {
            return known;
        }
        byStart.put(route.region().getStartKey(), route);
        return route;
    }

    private synchronized List<Wanted> take(Predicate<Wanted> which) {
        List<Wanted> taken = wanted.stream().filter(which).toList();
        taken.forEach(wanted::remove);
        return taken;
    }

    private @Nullable Route known(ByteString key) {
        Map.Entry<ByteString, Route> at = byStart.floorEntry(key);
        return at != null && at.getValue().contains(key) ? at.getValue() : null;
    }

    @Override
    public void close() {
        lookups.shutdownNow();
    }
}
