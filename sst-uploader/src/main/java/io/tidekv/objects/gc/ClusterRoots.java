package io.tidekv.objects.gc;

import io.tidekv.proto.region.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where a collector learns what a cluster needs. */
@FunctionalInterface
public interface ClusterRoots {
    /**
     * Reads all regions: first what their owners have reported, then, from a PD whose leadership is
     * confirmed in between, which regions there are. So a child that its parent does not pin any
     * more is among them. Throws {@link CollectionStopped} when that cannot be had.
     */
    Cut read();

    /**
     * One reading.
     *
     * @param newestId no id above it had been given out when it was read
     * @param regions by id
     */
    record Cut(long newestId, Map<Long, RegionRoots> regions) {}

    /**
     * One region.
     *
     * @param term the newest term that PD has issued
     * @param settled whether the leader of that term has applied the first entry of its own and has
     *     said what follows; otherwise nothing is known of the region's records
     * @param record the current record; null before the first
     * @param pins further records that are needed
     * @param strays objects that no record names and that the owner may still read
     * @param uploadsSince the record that was current when others were first allowed to upload, in
     *     the owner's name, what it may still come to name; null when nobody is
     */
    record RegionRoots(
            long regionId,
            long term,
            boolean settled,
            @Nullable ObjectRef record,
            List<ObjectRef> pins,
            Set<String> strays,
            @Nullable ObjectRef uploadsSince) {
        /** One in whose name nobody but its owner uploads. */
        public RegionRoots(
                long regionId,
                long term,
                boolean settled,
                @Nullable ObjectRef record,
                List<ObjectRef> pins,
                Set<String> strays) {
            this(regionId, term, settled, record, pins, strays, null);
        }

        static RegionRoots unsettled(long regionId, long term) {
            return new RegionRoots(regionId, term, false, null, List.of(), Set.of());
        }
    }
}
