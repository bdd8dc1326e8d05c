package io.tidekv.objects.worker;

import java.util.List;

/**
 * What one check of the object store has found.
 *
 * @param startedMillis wall clock, as is {@code finishedMillis}; 0 = not yet
 * @param readBytes of contents compared with their checksums
 * @param damaged regions with anything wrong, by cluster and region
 * @param stoppedBy why the check ended before its end; empty when it did not
 */
public record ScrubReport(
        long startedMillis,
        long finishedMillis,
        int clusters,
        int regions,
        long records,
        long objects,
        long readBytes,
        List<RegionFindings> damaged,
        String stoppedBy) {
    static final ScrubReport NONE = new ScrubReport(0, 0, 0, 0, 0, 0, 0, List.of(), "");

    public int damagedRecords() {
        return damaged.stream().mapToInt(RegionFindings::damagedRecords).sum();
    }

    public int missingObjects() {
        return damaged.stream().mapToInt(RegionFindings::missingObjects).sum();
    }

    public int damagedObjects() {
        return damaged.stream().mapToInt(RegionFindings::damagedObjects).sum();
    }
}
