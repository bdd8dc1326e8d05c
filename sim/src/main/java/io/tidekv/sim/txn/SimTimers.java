package io.tidekv.sim.txn;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.sim.Sim;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/** Clock, timers and workers of a store in simulated time. */
final class SimTimers extends AbstractExecutorService implements Clock, Scheduler {
    private static final long EPOCH_MS = 1_700_000_000_000L;

    private final Sim sim;

    SimTimers(Sim sim) {
        this.sim = sim;
    }

    @Override
    public long monotonicNanos() {
        return sim.nowNanos() + 1;
    }

    @Override
    public long wallMillis() {
        return EPOCH_MS + sim.nowNanos() / Sim.MS;
    }

    @Override
    public Cancellable after(Duration delay, Runnable task) {
        boolean[] cancelled = new boolean[1];
        sim.after(
                delay.toNanos(),
                "timer",
                () -> {
                    if (!cancelled[0]) {
                        task.run();
                    }
                });
        return () -> cancelled[0] = true;
    }

    @Override
    public Cancellable every(Duration period, Runnable task) {
        throw new UnsupportedOperationException("nothing here runs for ever");
    }

    @Override
    public void execute(Runnable task) {
        sim.after(sim.random().nextLong(0, 2 * Sim.MS), "worker", task);
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }
}
