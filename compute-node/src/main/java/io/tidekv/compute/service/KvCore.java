package io.tidekv.compute.service;

import io.tidekv.common.time.Clock;
import io.tidekv.common.time.Scheduler;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.region.RegionAccess;

/** The key-value services over one {@link RegionAccess}, without an edge. Thread-safe. */
public final class KvCore implements AutoCloseable {
    private final Runner runner;
    private final TxnService txn;
    private final RawService raw;
    private final RawRangeService rawRanges;
    private final StoreService store;

    /** Refuses API mode V2, which is not served yet. */
    public KvCore(RegionAccess regions, KvSettings settings, Clock clock, Scheduler scheduler) {
        if (settings.mode() == ApiMode.V2) {
            throw new IllegalArgumentException(
                    "API V2 is not served yet: make the cluster with API version 1 or 1ttl");
        }
        runner = new Runner(regions, settings, clock, scheduler);
        RangeDeletes deletes = new RangeDeletes(runner);
        txn = new TxnService(runner, deletes, settings);
        raw = new RawService(runner, settings, clock);
        rawRanges = new RawRangeService(runner, deletes, settings, clock);
        store = new StoreService(runner, deletes);
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
