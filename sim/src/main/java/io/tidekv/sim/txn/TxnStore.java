package io.tidekv.sim.txn;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import io.tidekv.compute.engine.ApiMode;
import io.tidekv.compute.region.RegionAccess;
import io.tidekv.compute.service.KvCore;
import io.tidekv.compute.service.KvSettings;
import java.util.ArrayList;
import java.util.List;

/** A store: the real services over the simulated regions that it owns. */
final class TxnStore implements RegionAccess {
    private final TxnWorld world;
    private final long id;
    private KvCore core;
    private long life;

    TxnStore(TxnWorld world, long id) {
        this.world = world;
        this.id = id;
        core = newCore();
    }

    private KvCore newCore() {
        SimTimers timers = new SimTimers(world.sim());
        return new KvCore(
                this,
                world::timestampLater,
                KvSettings.of(ApiMode.V1),
                timers,
                timers,
                timers,
                world.plant().rules());
    }

    KvCore core() {
        return core;
    }

    /** Which process this is: what was sent to an earlier one is never answered. */
    long life() {
        return life;
    }

    /** The process dies, with everything in memory, and a new one starts. */
    void restart() {
        life++;
        core = newCore();
    }

    @Override
    public long storeId() {
        return id;
    }

    @Override
    public long clusterId() {
        return 1;
    }

    @Override
    public Region region(long regionId) {
        TxnRegion region = world.region(regionId);
        Region mine = region == null ? null : region.handleFor(this);
        if (mine == null) {
            throw new KvException(new KvError.NotLeader(regionId, null, "not led here"));
        }
        return mine;
    }

    @Override
    public List<Region> regions() {
        List<Region> mine = new ArrayList<>();
        for (TxnRegion region : world.regions()) {
            Region handle = region.handleFor(this);
            if (handle != null) {
                mine.add(handle);
            }
        }
        return mine;
    }

    @Override
    public List<KvError.Route> siblings(Region region, long version) {
        return List.of();
    }
}
