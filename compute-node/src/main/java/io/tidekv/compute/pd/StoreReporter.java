package io.tidekv.compute.pd;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreReport;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.region.Owner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store's heartbeat: reports regularly, and at once after a change, what has changed since the
 * report before; in full at the start of a stream, when PD asks, and now and then. Opens a new
 * stream when one ends or stays silent. Thread-safe; works on the scheduler's thread.
 */
public final class StoreReporter implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(StoreReporter.class);

    /** Pause between reports when nothing happens. */
    public static final Duration PERIOD = Duration.ofMillis(500);

    private static final Duration COALESCE = Duration.ofMillis(2);
    private static final long BUSY_SHARE = 4;
    private static final Duration SILENCE = Duration.ofSeconds(3);
    private static final Duration FULL_EVERY = Duration.ofSeconds(10);

    /** What there is to report; called on the scheduler's thread. */
    public interface Source {
        /** All regions of the store by id, each an immutable value. */
        Map<Long, RegionReport> regions();

        /** The regions that are kept warm for other stores, by id. */
        Map<Long, StandbyReport> standbys();

        StoreStats stats();

        /** The process ends in order. */
        boolean leaving();
    }

    /** PD's orders, in order, on any thread; must be short. */
    public interface Orders {
        void onCommand(StoreCommand command);
    }

    private final PdLink pd;
    private final long clusterId;
    private final Owner owner;
    private final Source source;
    private final Orders orders;
    private final Clock clock;
    private final Scheduler scheduler;
    private final AtomicBoolean poked = new AtomicBoolean();

    private PdLink.@Nullable ReportStream stream;
    private Map<Long, RegionReport> sent = new LinkedHashMap<>();
    private Map<Long, StandbyReport> sentStandbys = new LinkedHashMap<>();
    private final List<CompletableFuture<Void>> asked = new ArrayList<>();
    private long askedSeq;
    private volatile long lastNanos;
    private long generation;
    private long seq;
    private long heardNanos;
    private long fullNanos;
    private boolean needFull;
    private boolean connectedBefore;
    private boolean closed;
    private Scheduler.@Nullable Cancellable timer;

    public StoreReporter(
            PdLink pd,
            long clusterId,
            Owner owner,
            Source source,
            Orders orders,
            Clock clock,
            Scheduler scheduler) {
        this.pd = pd;
        this.clusterId = clusterId;
        this.owner = owner;
        this.source = source;
        this.orders = orders;
        this.clock = clock;
        this.scheduler = scheduler;
    }

    /** Sends the first report and goes on from there. */
    public synchronized void start() {
        timer = scheduler.every(PERIOD, this::report);
        poke();
    }

    /** Something has changed that PD should hear of now. Cheap; calls are joined. */
    public void poke() {
        if (poked.compareAndSet(false, true)) {
            // Reports of many regions take a while: most of the time goes to other things.
            Duration pause = Duration.ofNanos(BUSY_SHARE * lastNanos);
            scheduler.after(pause.compareTo(COALESCE) > 0 ? pause : COALESCE, this::report);
        }
    }

    private synchronized void report() {
        poked.set(false);
        if (closed) {
            return;
        }
        long now = clock.monotonicNanos();
        if (stream != null && now - heardNanos > SILENCE.toNanos()) {
            log.info("PD has not answered for {} ms, opening a new stream", SILENCE.toMillis());
            stream.close();
            stream = null;
        }
        if (stream == null) {
            seq = 0;
            askedSeq = 1;
            heardNanos = now;
            needFull = true;
            generation++;
            stream = pd.openReports(new Listener(generation));
        }
        Map<Long, RegionReport> regions = source.regions();
        boolean full = needFull || now - fullNanos > FULL_EVERY.toNanos();
        StoreReport.Builder report =
                StoreReport.newBuilder()
                        .setClusterId(clusterId)
                        .setOwner(owner)
                        .setSeq(seq + 1)
                        .setFull(full)
                        .setStats(source.stats())
                        .setLeaving(source.leaving());
        regions.forEach(
                (id, region) -> {
                    if (full || !region.equals(sent.get(id))) {
                        report.addRegions(region);
                    }
                });
        // A region that is gone shows only in a full report.
        boolean gone = !full && !regions.keySet().containsAll(sent.keySet());
        if (gone) {
            report.clearRegions().addAllRegions(regions.values()).setFull(true);
        }
        Map<Long, StandbyReport> standbys = source.standbys();
        if (report.getFull() || !standbys.equals(sentStandbys)) {
            report.setStandbysListed(true).addAllStandbys(standbys.values());
        }
        if (stream.send(report.build())) {
            sentStandbys = standbys;
            seq++;
            sent = new LinkedHashMap<>(regions);
            needFull = false;
            if (full || gone) {
                fullNanos = now;
            }
        }
        lastNanos = clock.monotonicNanos() - now;
    }

    private void ended(long which, String reason) {
        synchronized (this) {
            if (generation != which || closed) {
                return;
            }
            stream = null;
        }
        if (connectedBefore) {
            log.info("the stream to PD ended: {}", reason);
        }
        connectedBefore = false;
        scheduler.after(Duration.ofMillis(100), this::report);
    }

    private void command(long from, StoreCommand command) {
        List<CompletableFuture<Void>> acknowledged = List.of();
        synchronized (this) {
            if (generation != from || closed) {
                return;
            }
            connectedBefore = true;
            heardNanos = clock.monotonicNanos();
            if (command.hasAck()) {
                needFull |= command.getAck().getNeedFull();
                if (command.getAck().getSeq() >= askedSeq) {
                    acknowledged = List.copyOf(asked);
                    asked.clear();
                }
            }
        }
        if (!command.hasAck()) {
            orders.onCommand(command);
        }
        acknowledged.forEach(future -> future.complete(null));
    }

    /** Reports now; completes when PD has acknowledged what is the case at this call. */
    public CompletableFuture<Void> reported() {
        CompletableFuture<Void> future = new CompletableFuture<>();
        synchronized (this) {
            asked.add(future);
            askedSeq = seq + 1;
        }
        poke();
        return future;
    }

    /** Ends the stream without another report. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            if (timer != null) {
                timer.cancel();
            }
            if (stream != null) {
                stream.close();
                stream = null;
            }
        }
    }

    /** Knows which stream it listens to, so that a late callback of an old one changes nothing. */
    private final class Listener implements PdLink.ReportListener {
        private final long of;

        Listener(long of) {
            this.of = of;
        }

        @Override
        public void onCommand(StoreCommand command) {
            command(of, command);
        }

        @Override
        public void onEnd(String reason) {
            ended(of, reason);
        }
    }
}
