package io.tidekv.compute.region;

import io.tidekv.common.error.KvError;
import io.tidekv.compute.engine.KvSnapshot;
import io.tidekv.compute.engine.WriteBatchBuilder;
import io.tidekv.proto.region.ObjectRef;
import io.tidekv.proto.region.RegionShape;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The regions of this store as the key-value services use them. All methods are thread-safe and do
 * not block, except for reads of a snapshot. Failures are {@link
 * io.tidekv.common.error.KvException}s, thrown or in the future.
 */
public interface RegionAccess {
    /** This store's id as PD knows it. */
    long storeId();

    long clusterId();

    /** A region that this store leads at present; throws NotLeader or RegionNotFound. */
    Region region(long regionId);

    /** All regions that this store leads at present, in key order. */
    List<Region> regions();

    /**
     * The region and what was split off it, for {@link KvError.EpochNotMatch}: those that this
     * store leads and that overlap the range which the region had at {@code version}, itself first.
     */
    List<KvError.Route> siblings(Region region, long version);

    /**
     * A region led by this store. The shape may change at any time by a split; each value is
     * immutable.
     */
    interface Region {
        RegionShape shape();

        /** Term of this leader. */
        long term();

        /**
         * A view that holds every write acknowledged before this call. Completes at once under a
         * lease, otherwise after a quorum has confirmed the leader. The caller closes it. Fails
         * with EpochNotMatch when the region's version is not {@code version}.
         */
        CompletableFuture<KvSnapshot> read(long version);

        /** As {@link #read(long)}, of a region that a flashback may have shut. */
        default CompletableFuture<KvSnapshot> read(long version, Access access) {
            return access.isAllowed(0) ? read(version) : notPrepared(this);
        }

        /**
         * Replicates and applies a batch. Completes after it has been applied here; a write that
         * was durable but whose fate is unknown at the end of leadership fails with Undetermined,
         * one that was never proposed with NotLeader, EpochNotMatch or ServerIsBusy.
         */
        CompletableFuture<Void> write(long version, WriteBatchBuilder batch);

        /** As {@link #write(long, WriteBatchBuilder)}, of a region that may be shut. */
        default CompletableFuture<Void> write(
                long version, WriteBatchBuilder batch, Access access) {
            return access.isAllowed(0) ? write(version, batch) : notPrepared(this);
        }

        /**
         * Shuts the region for everything but the flashback that began at {@code startTs}, or opens
         * it again with 0. Durable, and kept by later owners. Once it completes nothing that was
         * let in before can still be written. Repeating it is harmless.
         */
        default CompletableFuture<Void> flashback(long version, long startTs) {
            return CompletableFuture.failedFuture(Failures.invalid("no flashback here"));
        }

        /**
         * Completes once it is certain that nobody else had led the region later when this was
         * called. Opens no tablet while the lease lasts.
         */
        default CompletableFuture<Void> confirm() {
            return read(shape().getVersion()).thenAccept(KvSnapshot::close);
        }

        /**
         * Publishes what this leader has applied by now. Completes with a committed record that
         * holds it; fails when the object store or the log does not take it.
         */
        default CompletableFuture<ObjectRef> publish() {
            return CompletableFuture.failedFuture(Failures.invalid("nothing is published here"));
        }

        private static <T> CompletableFuture<T> notPrepared(Region region) {
            return CompletableFuture.failedFuture(
                    Failures.flashback(region.shape().getRegionId(), 0));
        }

        /**
         * Splits at the given keys (as stored in the tablet), sorted and inside the range.
         * Completes with all resulting shapes in key order once they serve. Used by SplitRegion
         * requests.
         */
        CompletableFuture<List<RegionShape>> split(long version, List<byte[]> keys);
    }
}
