package io.tidekv.cli.bench.wal;

import io.tidekv.cli.CliException;
import io.tidekv.common.Rounds;
import io.tidekv.common.grpc.GrpcTransports;
import io.tidekv.common.time.Clock;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.region.core.LeaderPhase;
import io.tidekv.compute.region.core.LeaderRules;
import io.tidekv.compute.region.core.SessionRenewer;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.wal.WalRequest;
import io.tidekv.proto.wal.WalResponse;
import io.tidekv.wal.client.WalLink;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Rounds over the leaders of some regions, as in a region loop of a store: each takes the answers
 * that have come, lets the leaders commit and the clients append, and sends each node one message.
 */
final class LogDriver implements WalLink.Listener, Rounds.Work, AutoCloseable {
    private static final long TICK_MS = 100;

    private final Clock clock;
    private final Rounds rounds;
    private final Map<Long, List<WalRequest>> outbox = new LinkedHashMap<>();
    private final Map<Long, WalLink> links = new LinkedHashMap<>();
    private final Map<Long, BenchRegion> regions = new LinkedHashMap<>();
    private final Set<BenchRegion> touched = new LinkedHashSet<>();
    // Those that ticks look after, as in a store: the others have nothing to do.
    private final Set<BenchRegion> awake = new LinkedHashSet<>();
    private final Set<Long> connected = new LinkedHashSet<>();
    private final SessionRenewer renewer;
    private Histogram micros = new Histogram(3);
    private boolean appending;
    private long tickedNanos;
    private volatile @Nullable Throwable failure;

    LogDriver(LeaderOptions options, Owner owner, Clock clock) {
        this.clock = clock;
        renewer =
                new SessionRenewer(
                        options,
                        LeaderRules.RIGHT,
                        owner,
                        this::send,
                        (node, region, term) -> fail("region " + region + " has lost its lease"));
        tickedNanos = clock.monotonicNanos();
        rounds = new Rounds(this, clock::monotonicNanos);
        rounds.start("log-driver");
    }

    SessionRenewer renewer() {
        return renewer;
    }

    /** Puts a request into the next message to the node. On this thread. */
    void send(long walId, WalRequest request) {
        outbox.computeIfAbsent(walId, id -> new ArrayList<>()).add(request);
    }

    /** Runs {@code event} in a round and waits for it. */
    void call(Runnable event) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        rounds.execute(
                () -> {
                    event.run();
                    done.complete(null);
                });
        await(done);
    }

    private void await(CompletableFuture<Void> done) {
        try {
            while (!done.isDone()) {
                Throwable cause = failure;
                if (cause != null) {
                    throw new CliException("the measurement failed: " + cause, cause);
                }
                new CountDownLatch(1).await(10, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
    }

    void addLink(WalLink link) {
        call(() -> links.put(link.walId(), link));
    }

    void addRegions(List<BenchRegion> added) {
        call(
                () -> {
                    Clock.Reading now = clock.read();
                    for (BenchRegion region : added) {
                        regions.put(region.leader.regionId(), region);
                        region.leader.start(now);
                        connected.forEach(walId -> region.leader.onConnected(walId, now));
                    }
                    touch(added);
                });
    }

    private void touch(Collection<BenchRegion> some) {
        touched.addAll(some);
        awake.addAll(some);
    }

    /** Waits until {@code condition} holds on this thread. */
    void until(BooleanSupplier condition, double seconds) {
        long end = clock.monotonicNanos() + (long) (seconds * 1e9);
        boolean[] holds = {false};
        while (!holds[0]) {
            call(() -> holds[0] = condition.getAsBoolean());
            if (!holds[0] && clock.monotonicNanos() > end) {
                throw new CliException("the log is not ready after " + seconds + " s");
            }
        }
    }

    int connectedCount() {
        return connected.size();
    }

    boolean allLead() {
        return regions.values().stream().allMatch(BenchRegion::isLeading);
    }

    /** Waits for the appends under way and has the voters forget them: the next run begins bare. */
    void drain() {
        appending(false);
        until(() -> regions.values().stream().allMatch(BenchRegion::isDrained), 20);
        call(
                () -> {
                    regions.values().forEach(BenchRegion::trim);
                    touch(regions.values());
                });
        until(() -> regions.values().stream().allMatch(BenchRegion::atRest), 20);
    }

    /** Lets all clients append, or no more. */
    void appending(boolean now) {
        call(
                () -> {
                    appending = now;
                    touch(regions.values());
                });
    }

    /** Appends since the last call of {@link #takeTimings}. */
    long measured() {
        return micros.getTotalCount();
    }

    /** What has been measured since the last call. */
    Histogram takeTimings() {
        Histogram[] taken = new Histogram[1];
        call(
                () -> {
                    taken[0] = micros;
                    micros = new Histogram(3);
                });
        return taken[0];
    }

    @Override
    public void failed(Throwable cause) {
        failure = cause;
    }

    @Override
    public void round(Rounds.Events events, boolean own) {
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            event.run();
        }
        if (own && nanosToNext() <= 0) {
            tick();
        }
        Clock.Reading now = clock.read();
        for (BenchRegion region : touched) {
            region.take(micros, clock);
            if (appending) {
                region.propose(clock);
            }
            region.leader.pump(now);
        }
        touched.clear();
        outbox.forEach(
                (walId, requests) -> {
                    WalLink link = links.get(walId);
                    if (link != null && !requests.isEmpty() && link.send(requests)) {
                        requests.clear();
                    }
                });
    }

    @Override
    public long nanosToNext() {
        return tickedNanos + TICK_MS * 1_000_000 - clock.monotonicNanos();
    }

    private void tick() {
        Clock.Reading now = clock.read();
        tickedNanos = now.monotonicNanos();
        renewer.tick(now);
        for (BenchRegion region : List.copyOf(awake)) {
            region.leader.tick(now);
            touched.add(region);
            if (region.leader.phase() == LeaderPhase.FENCED) {
                fail(region.leader.reason());
            }
            if (region.leader.atRest()) {
                awake.remove(region);
            }
        }
    }

    private static void fail(String reason) {
        throw new CliException(reason);
    }

    @Override
    public void onConnected(long walId) {
        rounds.execute(
                () -> {
                    Clock.Reading now = clock.read();
                    connected.add(walId);
                    renewer.onConnected(walId, now);
                    regions.values().forEach(region -> region.leader.onConnected(walId, now));
                    touch(regions.values());
                });
    }

    @Override
    public void onDisconnected(long walId, String reason) {
        rounds.execute(() -> fail("WAL node " + walId + " has gone: " + reason));
    }

    @Override
    public void onResponses(long walId, List<WalResponse> responses) {
        rounds.execute(
                () -> {
                    Clock.Reading now = clock.read();
                    for (WalResponse response : responses) {
                        respond(walId, response, now);
                    }
                },
                GrpcTransports.linkLoop());
    }

    private void respond(long walId, WalResponse response, Clock.Reading now) {
        BenchRegion region = regions.get(response.getRegionId());
        if (region != null) {
            region.leader.onResponse(walId, response, now);
            touched.add(region);
            awake.add(region);
        } else {
            renewer.onResponse(walId, response, now);
        }
    }

    @Override
    public void close() {
        rounds.stop();
        links.values().forEach(WalLink::close);
    }
}
