package io.tidekv.objects.worker;

import java.util.List;

/**
 * What a check has found in one region's records.
 *
 * @param objects distinct objects that the region's whole records refer to
 * @param problems the first few, each naming its object; empty when all is well
 */
public record RegionFindings(
        long clusterId,
        long regionId,
        int records,
        int damagedRecords,
        int objects,
        int missingObjects,
        int damagedObjects,
        List<String> problems) {
    public boolean isDamaged() {
        return damagedRecords + missingObjects + damagedObjects > 0;
    }
}
