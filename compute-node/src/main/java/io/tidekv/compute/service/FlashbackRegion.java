package io.tidekv.compute.service;

import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.compute.region.Access;
import io.tidekv.compute.region.RegionAccess.Region;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A region as the steps of its flashback see it: served only while it is shut by one. */
record FlashbackRegion(Region region) implements Region {
    static Target of(Target target) {
        return new Target(new FlashbackRegion(target.region()), target.shape(), target.bounds());
    }

    @Override
    public RegionShape shape() {
        return region.shape();
    }

    @Override
    public long term() {
        return region.term();
    }

    @Override
    public CompletableFuture<KvSnapshot> read(long version) {
        return region.read(version, Access.FLASHBACK);
    }

    @Override
    public CompletableFuture<Void> write(long version, WriteBatchBuilder batch) {
        return region.write(version, batch, Access.FLASHBACK);
    }

    @Override
    public CompletableFuture<List<RegionShape>> split(long version, List<byte[]> keys) {
        return region.split(version, keys);
    }
}
