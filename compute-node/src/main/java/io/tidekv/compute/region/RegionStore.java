package io.tidekv.compute.region;

import io.tidekv.common.Threads;
import io.tidekv.common.error.KvError;
import io.tidekv.common.metrics.Metrics;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.compaction.CompactionBoard;
import io.tidekv.compute.pd.PdLink;
import io.tidekv.compute.pd.StoreReporter;
import io.tidekv.compute.tablet.TabletStore;
import io.tidekv.proto.cluster.Assign;
import io.tidekv.proto.cluster.ChangeVoters;
import io.tidekv.proto.cluster.Follow;
import io.tidekv.proto.cluster.MergeOrder;
import io.tidekv.proto.cluster.RegionReport;
import io.tidekv.proto.cluster.RegionState;
import io.tidekv.proto.cluster.SplitOrder;
import io.tidekv.proto.cluster.StandbyReport;
import io.tidekv.proto.cluster.StoreCommand;
import io.tidekv.proto.cluster.StoreStats;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.RegionShape;
import io.tidekv.wal.client.WalLink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All regions of this store: their leaders, tablets and the threads that drive them. Takes PD's
 * orders and reports to it. Thread-safe.
 */
public final class RegionStore implements RegionAccess, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RegionStore.class);
    private static final int QUEUED_MAX = 1_000_000;

    /**
     * What a store is made of.
     *
     * @param owner id and incarnation that PD has issued to this process
     * @param apiMode of the cluster: 1 = V1, 2 = V1TTL, 3 = V2
     * @param tablets stays open when the store is closed
     * @param stats of the local disk, for PD; called often
     * @param compactions workers that compact for the regions
     */
    public record Parts(
            long clusterId,
            Owner owner,
            int apiMode,
            StoreOptions options,
            PdLink pd,
            WalLink.Factory wal,
            TabletStore tablets,
            Supplier<StoreStats> stats,
            Metrics metrics,
            Clock clock,
            Scheduler scheduler,
            StoreEvents events,
            CompactionBoard compactions) {}

    private final Parts parts;
    private final ExecutorService openers;
    private final ExecutorService publishers;
    private final RegionEnv env;
    private final WalConnections connections;
    private final List<RegionLoop> loops = new ArrayList<>();
    private final StoreReporter reporter;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean leaving;

    private RegionStore(Parts parts) {
        this.parts = parts;
        StoreOptions options = parts.options;
        openers = Threads.pool("tablet-open", options.openers(), QUEUED_MAX);
        publishers = Threads.pool("tablet-publish", options.publishers(), QUEUED_MAX);
        connections = new WalConnections(parts.wal);
        reporter =
                new StoreReporter(
                        parts.pd,
                        parts.clusterId,
                        parts.owner,
                        new Reports(),
                        this::order,
                        parts.clock,
                        parts.scheduler);
        env =
                new RegionEnv(
                        parts.clusterId,
                        parts.owner,
                        parts.apiMode,
                        options,
                        parts.clock,
                        parts.scheduler,
                        parts.tablets,
                        parts.pd,
                        openers,
                        publishers,
                        new Budget(options),
                        new AtomicInteger(),
                        new Directory(parts.owner.getStoreId(), reporter::poke),
                        new RegionMetrics(parts.metrics),
                        parts.events,
                        parts.compactions,
                        this::assign);
        for (int i = 0; i < options.loops(); i++) {
            loops.add(new RegionLoop(env, i, options.loops(), connections));
        }
        connections.loops(loops);
    }

    /** Starts the threads and the talks with PD; regions come as PD assigns them. */
    public static RegionStore start(Parts parts) {
        RegionStore store = new RegionStore(parts);
        store.loops.forEach(RegionLoop::start);
        store.reporter.start();
        return store;
    }

    @Override
    public long storeId() {
        return parts.owner.getStoreId();
    }

    @Override
    public long clusterId() {
        return parts.clusterId;
    }

    @Override
    public Region region(long regionId) {
        RegionHandle found = env.directory().present(regionId);
        if (found != null) {
            return found;
        }
        onPeer(regionId, RegionPeer::asked);
        return env.directory().find(regionId);
    }

    /** Has the tablet of a region opened that rests; says whether the region is led here. */
    public boolean wake(long regionId) {
        RegionHandle found = env.directory().present(regionId);
        if (found != null) {
            found.wake();
        }
        return found != null;
    }

    @Override
    public List<Region> regions() {
        return List.copyOf(env.directory().all());
    }

    @Override
    public List<KvError.Route> siblings(Region region, long version) {
        return env.directory().siblings(region, version);
    }

    /** What PD is told of each region at present, by id: also those that do not serve. */
    public Map<Long, RegionReport> reports() {
        return env.directory().reports();
    }

    /** What PD is told of each region that is kept warm here for another store, by id. */
    public Map<Long, StandbyReport> standbys() {
        return env.directory().standbys();
    }

    /** Regions that have had nothing to do for a while: they cost nothing until they are used. */
    public int restingRegions() {
        return loops.stream().mapToInt(RegionLoop::resting).sum();
    }

    /** Tablets that are open here, for regions that are led and as standbys. */
    public int openTablets() {
        return env.tabletsOpen().get();
    }

    /** Bytes of writes that wait for the log or are under way to it. */
    public long proposalBytes() {
        return env.budget().proposalBytes();
    }

    /** Applied bytes that are in no published record yet. */
    public long unpublishedBytes() {
        return env.budget().unpublishedBytes();
    }

    private RegionLoop loopOf(long regionId) {
        return loops.get(LoopSeq.loopOf(regionId, loops.size()));
    }

    private void assign(Assign order, @Nullable WarmTablet warm) {
        RegionLoop loop = loopOf(order.getShape().getRegionId());
        loop.execute(
                () -> {
                    if (!leaving) {
                        loop.assign(order, warm);
                    } else if (warm != null) {
                        env.close(warm.tablet());
                    }
                });
    }

    private void order(StoreCommand command) {
        switch (command.getBodyCase()) {
            case ASSIGN -> assign(command.getAssign(), null);
            case REVOKE -> {
                long id = command.getRevoke().getRegionId();
                long term = command.getRevoke().getTerm();
                loopOf(id).execute(() -> loopOf(id).revoke(id, term));
            }
            case MOVE -> {
                long id = command.getMove().getRegionId();
                long term = command.getMove().getTerm();
                onPeer(
                        id,
                        peer -> {
                            if (peer.term() == term) {
                                peer.handOver(command.getMove().getStep());
                            }
                        });
            }
            case SPLIT -> split(command.getSplit());
            case MERGE -> merge(command.getMerge());
            case FOLLOW -> follow(command.getFollow());
            case UNFOLLOW -> {
                long id = command.getUnfollow().getRegionId();
                loopOf(id).execute(() -> loopOf(id).standbys().unfollow(id));
            }
            case WAL_NODES -> connections.update(command.getWalNodes().getNodesList());
            case FENCED -> fenced(command.getFenced().getReason());
            case CHANGE_VOTERS -> {
                ChangeVoters order = command.getChangeVoters();
                onPeer(order.getRegionId(), peer -> peer.changeVoters(order));
            }
            case ACK, BODY_NOT_SET -> log.debug("nothing to do for {}", command.getBodyCase());
        }
    }

    private void follow(Follow order) {
        RegionLoop loop = loopOf(order.getShape().getRegionId());
        loop.execute(
                () -> {
                    if (!leaving && loop.peer(order.getShape().getRegionId()) == null) {
                        loop.standbys().follow(order);
                    }
                });
    }

    private void split(SplitOrder order) {
        CompletableFuture<List<RegionShape>> result = new CompletableFuture<>();
        result.whenComplete(
                (shapes, error) -> {
                    if (error != null) {
                        log.info("PD's order to split failed: {}", error.getMessage());
                    }
                });
        onPeer(
                order.getRegionId(),
                peer -> peer.split(order.getVersion(), order.getKeysList(), result));
    }

    /** Both regions must be led here, each on its loop. */
    private void merge(MergeOrder order) {
        onPeer(
                order.getSource().getRegionId(),
                source ->
                        onPeer(
                                order.getTarget().getRegionId(),
                                target -> {
                                    if (source.term() == order.getSourceTerm()
                                            && target.term() == order.getTargetTerm()) {
                                        target.merge(order, source);
                                    }
                                }));
    }

    private void onPeer(long regionId, Consumer<RegionPeer> step) {
        RegionLoop loop = loopOf(regionId);
        loop.execute(
                () -> {
                    RegionPeer peer = loop.peer(regionId);
                    if (peer != null) {
                        peer.guard(() -> step.accept(peer));
                        loop.touch(peer);
                    }
                });
    }

    /** Nothing is answered any more, not even what a lease would still cover. */
    private void fenced(String reason) {
        if (leaving) {
            return;
        }
        leaving = true;
        log.error("this store is fenced: {}", reason);
        env.directory().all().forEach(RegionHandle::stop);
        loops.forEach(loop -> loop.abandonAll("the store is fenced"));
        parts.events.onFenced(reason);
    }

    /**
     * Stops serving, drains, releases every lease and reports it; takes a bounded time. What cannot
     * be released in it is taken over when its lease has run out.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        long deadline = parts.clock.monotonicNanos() + parts.options.shutdown().toNanos();
        leaving = true;
        reporter.poke();
        for (RegionLoop loop : loops) {
            loop.execute(() -> loop.standbys().end());
            loop.execute(() -> loop.peers().forEach(p -> p.guard(() -> p.leave("shutdown"))));
        }
        await(deadline, () -> loops.stream().allMatch(RegionLoop::isEmpty));
        lastReport();
        reporter.close();
        loops.forEach(loop -> loop.abandonAll("the store ends"));
        long grace = parts.clock.monotonicNanos() + TimeUnit.SECONDS.toNanos(2);
        await(grace, () -> loops.stream().allMatch(RegionLoop::isEmpty) && tabletsClosed());
        loops.forEach(RegionLoop::stop);
        connections.close();
        openers.shutdownNow();
        publishers.shutdownNow();
        if (!tabletsClosed()) {
            log.warn("{} tablets are still in use at the end", env.tabletsOpen().get());
        }
    }

    private boolean tabletsClosed() {
        return env.tabletsOpen().get() == 0;
    }

    private void lastReport() {
        try {
            reporter.reported().get(500, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.info("PD did not acknowledge the last report");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for {@code done}, looking again each time a loop has come round. */
    private void await(long deadlineNanos, BooleanSupplier done) {
        while (!done.getAsBoolean() && parts.clock.monotonicNanos() - deadlineNanos < 0) {
            CompletableFuture<Void> round = new CompletableFuture<>();
            parts.scheduler.after(Duration.ofMillis(10), () -> round.complete(null));
            try {
                round.get(1, TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException e) {
                log.debug("still waiting for the regions to end");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** What PD hears. */
    private final class Reports implements StoreReporter.Source {
        @Override
        public Map<Long, RegionReport> regions() {
            return env.directory().reports();
        }

        @Override
        public Map<Long, StandbyReport> standbys() {
            return env.directory().standbys();
        }

        @Override
        public StoreStats stats() {
            return parts.stats.get().toBuilder()
                    .setRegionCount(env.directory().count(RegionState.LEADING))
                    .build();
        }

        @Override
        public boolean leaving() {
            return leaving;
        }
    }
}
