package io.tidekv.objects.restore;

import io.tidekv.objects.archive.ArchivePart;
import io.tidekv.objects.archive.ArchiveReader;
import io.tidekv.objects.archive.RegionSlice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Until when the archive has all that was acknowledged. A voter ships all that it writes, in order;
 * what a region has acknowledged is on a majority of its voters, so it is in the archive when all
 * of them but one have shipped that far. Pure.
 */
final class ArchiveCoverage {
    private ArchiveCoverage() {}

    /** By the clocks of WAL nodes; 0 when nothing is certain. */
    static long untilMillis(ArchiveReader archive) {
        Map<Long, List<Long>> ends = new HashMap<>();
        for (List<ArchivePart> parts : archive.parts().values()) {
            long end = parts.stream().mapToLong(ArchivePart::lastMillis).max().orElse(0);
            parts.stream()
                    .flatMap(part -> part.regions().stream())
                    .mapToLong(RegionSlice::regionId)
                    .distinct()
                    .forEach(
                            region ->
                                    ends.computeIfAbsent(region, id -> new ArrayList<>()).add(end));
        }
        long until = Long.MAX_VALUE;
        for (List<Long> ofNodes : ends.values()) {
            ofNodes.sort(null);
            until =
                    Math.min(
                            until, ofNodes.size() < 2 ? soleEnd(archive, ofNodes) : ofNodes.get(1));
        }
        return ends.isEmpty() ? 0 : until;
    }

    /** Of a region that one node has: enough where there is but one. */
    private static long soleEnd(ArchiveReader archive, List<Long> ofNodes) {
        return archive.parts().size() == 1 ? ofNodes.get(0) : 0;
    }
}
