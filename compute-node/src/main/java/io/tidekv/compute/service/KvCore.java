package io.tidekv.compute.service;

import io.tidekv.common.Threads;
import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.deadlock.DeadlockDetector;
import io.tidekv.compute.deadlock.LocalDetector;
import io.tidekv.compute.pd.TimestampSource;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.txn.Concurrency;
import io.tidekv.compute.txn.TxnRules;
import java.util.concurrent.ExecutorService;

/** The key-value services over one {@link RegionAccess}, without an edge. Thread-safe. */
public final class KvCore implements AutoCloseable {
    private final Runner runner;
    private final TxnService txn;
    private final TxnReadService reads;
    private final ResolveService resolving;
    private final RawService raw;
    private final RawRangeService rawRanges;
    private final StoreService store;
    private final PessimisticService pessimistic;
    private final LockWaits waits;
    private final FlashbackService flashback;
    private final MomentService moments;

    /**
     * @param timestamps for writes that need one of their own
     */
    public KvCore(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler) {
        this(regions, timestamps, settings, clock, scheduler, new LocalDetector());
    }

    /** As the other; waits for locks are told to {@code detector}, which the caller closes. */
    public KvCore(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler,
            DeadlockDetector detector) {
        this(
                regions,
                timestamps,
                settings,
                clock,
                scheduler,
                Threads.pool("kv-worker", settings.workers(), settings.workersQueued()),
                TxnRules.STANDARD,
                detector);
    }

    /**
     * As the other, with parts that a simulation brings.
     *
     * @param workers for work that may take long; ended by {@link #close}
     */
    public KvCore(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler,
            ExecutorService workers,
            TxnRules rules) {
        this(regions, timestamps, settings, clock, scheduler, workers, rules, new LocalDetector());
    }

    private KvCore(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler,
            ExecutorService workers,
            TxnRules rules,
            DeadlockDetector detector) {
        runner = new Runner(regions, settings, clock, scheduler, workers);
        RangeDeletes deletes = new RangeDeletes(runner);
        ApiChecks api = new ApiChecks(settings.mode());
        Concurrency concurrency = new Concurrency(rules);
        waits =
                new LockWaits(
                        settings.latchesWaiting(), clock, scheduler, runner.workers(), detector);
        runner.onReleased(waits::released);
        MaxTsSync maxTs = new MaxTsSync(regions, timestamps, concurrency);
        TsLimit limit = new TsLimit(timestamps, clock);
        txn = new TxnService(runner, deletes, api, concurrency, maxTs, limit);
        reads = new TxnReadService(runner, settings, api, concurrency, limit);
        resolving = new ResolveService(runner, settings, api, concurrency, limit);
        pessimistic =
                new PessimisticService(
                        runner, concurrency, waits, api, limit, clock, settings.lockWait());
        raw = new RawService(runner, settings, new CausalStamps(timestamps, clock));
        rawRanges = new RawRangeService(runner, deletes, settings);
        store = new StoreService(runner, deletes, settings);
        flashback = new FlashbackService(runner, api);
        moments = new MomentService(regions, concurrency, limit, clock, scheduler);
    }

    public TxnService txn() {
        return txn;
    }

    public TxnReadService reads() {
        return reads;
    }

    public ResolveService resolving() {
        return resolving;
    }

    public PessimisticService pessimistic() {
        return pessimistic;
    }

    public RawService raw() {
        return raw;
    }

    public RawRangeService rawRanges() {
        return rawRanges;
    }

    public StoreService store() {
        return store;
    }

    public FlashbackService flashback() {
        return flashback;
    }

    public MomentService moments() {
        return moments;
    }

    /** Ends the workers once they are idle. */
    @Override
    public void close() {
        waits.close();
        runner.close();
    }
}
