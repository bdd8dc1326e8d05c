package io.tidekv.objects.archive;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A part: what a WAL node wrote to one of its segments from one batch to another, grouped by
 * region.
 *
 * @param object its name below the cluster's prefix
 * @param segmentLength end of the last part of the segment
 * @param firstMillis the writing node's wall clock at its first write; 0 when not known
 * @param lastMillis the same of its last
 * @param storedMillis the object store's clock
 * @param regions in ascending order of their ids
 */
public record ArchivePart(
        String object,
        UUID node,
        long walId,
        long clusterId,
        long segment,
        long segmentLength,
        long from,
        long to,
        long firstMillis,
        long lastMillis,
        long storedMillis,
        List<RegionSlice> regions) {
    /** Where the batches of a segment begin. */
    public static final long SEGMENT_START = 512;

    /** What it holds of a region; null when that is nothing. */
    @Nullable RegionSlice region(long regionId) {
        int low = 0;
        int high = regions.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = Long.compareUnsigned(regions.get(middle).regionId(), regionId);
            if (order == 0) {
                return regions.get(middle);
            } else if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return null;
    }

    /** Places in a node's parts, in order, where something is missing between two. */
    public static int gaps(List<ArchivePart> parts) {
        int gaps = 0;
        for (int i = 1; i < parts.size(); i++) {
            gaps += parts.get(i - 1).isFollowedBy(parts.get(i)) ? 0 : 1;
        }
        return gaps;
    }

    /** Whether nothing of the node's log lies between the two. */
    boolean isFollowedBy(ArchivePart next) {
        boolean within = next.segment == segment && next.from == to;
        boolean across =
                next.segment == segment + 1 && to == segmentLength && next.from == SEGMENT_START;
        return within || across;
    }
}
