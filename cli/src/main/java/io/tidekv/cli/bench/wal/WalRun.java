package io.tidekv.cli.bench.wal;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import io.tidekv.common.Randomness;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.ThreadScheduler;
import io.tidekv.compute.region.core.LeaderOptions;
import io.tidekv.compute.region.core.LeaderRules;
import io.tidekv.compute.region.core.RegionLeader;
import io.tidekv.proto.region.Bootstrap;
import io.tidekv.proto.region.Origin;
import io.tidekv.proto.region.Owner;
import io.tidekv.proto.region.VoterConfig;
import io.tidekv.wal.client.GrpcWalLinks;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Appends through leaders of this process to nodes that run already. */
final class WalRun {
    private static final LeaderOptions OPTIONS = LeaderOptions.defaults();

    /** From the first append until the clients run evenly. */
    private static final double SETTLE_SECONDS = 3;

    /** As many clients as the warm-up has need no more; messages of fewer are other messages. */
    private static final int FEW_CLIENTS = 64;

    private static final double SETTLE_SECONDS_OF_FEW = 10;

    /** What was measured; CPU and allocation are of the measured time only. */
    record Result(
            Timings timings,
            double leaderCpuSeconds,
            double nodesCpuSeconds,
            double leaderAllocated,
            double nodesAllocated) {
        double perAppend(double amount) {
            return amount / Math.max(1, timings.micros().getTotalCount());
        }
    }

    /** What regions cost that nobody uses: seconds to own them, and CPU as shares of a core. */
    record Rest(double ownSeconds, double leaderShare, double nodeShare) {}

    /**
     * Regions that nobody uses.
     *
     * @param takeOverSeconds until another store owns all logs, counted from when it is told of
     *     them, which is when the first has just gone without releasing anything
     */
    record Idle(int regions, Rest rest, double takeOverSeconds) {}

    private final WalNodes nodes;
    private final Clock clock;
    private final Owner owner;

    /** {@code incarnation} differs in each run against the same nodes. */
    WalRun(WalNodes nodes, long incarnation, Clock clock) {
        this(nodes, Owner.newBuilder().setStoreId(1).setIncarnation(incarnation).build(), clock);
    }

    private WalRun(WalNodes nodes, Owner owner, Clock clock) {
        this.nodes = nodes;
        this.clock = clock;
        this.owner = owner;
    }

    /** Runs until there were {@code appends}. */
    void warmUp(int clients, int regions, int bytes, long appends) {
        try (ThreadScheduler timers = new ThreadScheduler("links");
                LogDriver driver = connect(timers)) {
            driver.addRegions(regions(driver, clients, regions, value(bytes), 1));
            driver.appending(true);
            driver.until(() -> driver.measured() >= appends, 180);
            driver.drain();
        }
    }

    /** Runs {@code clients} over {@code regions} for {@code seconds}. */
    Result run(int clients, int regions, int bytes, double seconds) throws InterruptedException {
        try (ThreadScheduler timers = new ThreadScheduler("links");
                LogDriver driver = connect(timers)) {
            driver.addRegions(regions(driver, clients, regions, value(bytes), 1));
            driver.until(driver::allLead, 60);
            driver.appending(true);
            sleep(clients < FEW_CLIENTS ? SETTLE_SECONDS_OF_FEW : SETTLE_SECONDS);
            Result result = measure(driver, seconds);
            driver.drain();
            return result;
        }
    }

    /** Leads regions that nobody uses, then has another store take them over. */
    Idle idle(int regions, double seconds) throws InterruptedException {
        Rest rest = rest(regions, seconds);
        Owner other = owner.toBuilder().setStoreId(2).build();
        return new Idle(regions, rest, new WalRun(nodes, other, clock).takeOver(regions));
    }

    private double takeOver(int regions) {
        try (ThreadScheduler timers = new ThreadScheduler("links");
                LogDriver driver = connect(timers)) {
            long start = clock.monotonicNanos();
            driver.addRegions(regions(driver, 0, regions, ByteString.EMPTY, 2));
            driver.until(driver::allLead, 120);
            return (clock.monotonicNanos() - start) / 1e9;
        }
    }

    private Rest rest(int regions, double seconds) throws InterruptedException {
        try (ThreadScheduler timers = new ThreadScheduler("links");
                LogDriver driver = connect(timers)) {
            long start = clock.monotonicNanos();
            driver.addRegions(regions(driver, 0, regions, ByteString.EMPTY, 1));
            driver.until(driver::allLead, 120);
            double ownSeconds = (clock.monotonicNanos() - start) / 1e9;
            sleep(Math.max(3, seconds / 4));
            double leaderCpu = ownCpuSeconds();
            double nodesCpu = nodes.cpuSeconds();
            sleep(seconds);
            return new Rest(
                    ownSeconds,
                    (ownCpuSeconds() - leaderCpu) / seconds,
                    (nodes.cpuSeconds() - nodesCpu) / seconds / nodes.nodes().size());
        }
    }

    private LogDriver connect(ThreadScheduler timers) {
        LogDriver driver = new LogDriver(OPTIONS, owner, clock);
        GrpcWalLinks links =
                new GrpcWalLinks(nodes.clusterId(), owner, timers, Randomness.seeded(1));
        for (WalNodes.Node node : nodes.nodes()) {
            driver.addLink(links.connect(node.walId(), node.child().address(), driver));
        }
        driver.until(() -> driver.connectedCount() == nodes.nodes().size(), 20);
        return driver;
    }

    private List<BenchRegion> regions(
            LogDriver driver, int clients, int count, ByteString value, long term) {
        List<BenchRegion> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int share = clients / count + (i < clients % count ? 1 : 0);
            all.add(new BenchRegion(leader(driver, i + 1, term), share, value));
        }
        return all;
    }

    private RegionLeader leader(LogDriver driver, long number, long term) {
        VoterConfig.Builder config = VoterConfig.newBuilder().setGeneration(1);
        nodes.nodes().forEach(node -> config.addWalIds(node.walId()));
        return new RegionLeader(
                OPTIONS,
                LeaderRules.RIGHT,
                owner.getIncarnation() * 1_000_000 + number,
                term,
                owner,
                config.build(),
                Origin.newBuilder().setBootstrap(Bootstrap.getDefaultInstance()).build(),
                driver.renewer(),
                driver::send);
    }

    private Result measure(LogDriver driver, double seconds) throws InterruptedException {
        double nodesAllocated = nodes.allocatedBytes();
        driver.takeTimings();
        double leaderCpu = ownCpuSeconds();
        double nodesCpu = nodes.cpuSeconds();
        double allocated = ownAllocatedBytes();
        long start = clock.monotonicNanos();
        sleep(seconds);
        Timings timings = new Timings(driver.takeTimings(), (clock.monotonicNanos() - start) / 1e9);
        return new Result(
                timings,
                ownCpuSeconds() - leaderCpu,
                nodes.cpuSeconds() - nodesCpu,
                ownAllocatedBytes() - allocated,
                nodes.allocatedBytes() - nodesAllocated);
    }

    private static double ownCpuSeconds() {
        return Children.cpuSeconds(ProcessHandle.current().pid());
    }

    /** Bytes of objects that the threads that live now have made. */
    private static double ownAllocatedBytes() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double sum = 0;
        for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
            sum += Math.max(0, bytes);
        }
        return sum;
    }

    private static ByteString value(int bytes) {
        byte[] value = new byte[bytes];
        Randomness.seeded(bytes).nextBytes(value);
        return ByteString.copyFrom(value);
    }

    private static void sleep(double seconds) throws InterruptedException {
        new CountDownLatch(1).await((long) (seconds * 1000), TimeUnit.MILLISECONDS);
    }
}
