package io.tidekv.compute.service;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.pd.TimestampSource;
import io.tidekv.compute.region.RegionAccess;

/** The key-value services over one {@link RegionAccess}, without an edge. Thread-safe. */
public final class KvCore implements AutoCloseable {
    private final Runner runner;
    private final TxnService txn;
    private final RawService raw;
    private final RawRangeService rawRanges;
    private final StoreService store;

    /**
     * @param timestamps for writes that need one of their own
     */
    public KvCore(
            RegionAccess regions,
            TimestampSource timestamps,
            KvSettings settings,
            Clock clock,
            Scheduler scheduler) {
        runner = new Runner(regions, settings, clock, scheduler);
        RangeDeletes deletes = new RangeDeletes(runner);
        txn = new TxnService(runner, deletes, settings);
        raw = new RawService(runner, settings, new CausalStamps(timestamps, clock));
        rawRanges = new RawRangeService(runner, deletes, settings);
        store = new StoreService(runner, deletes, settings);
    }

    public TxnService txn() {
        return txn;
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

    /** Ends the workers once they are idle. */
    @Override
    public void close() {
        runner.close();
    }
}
