package io.tidekv.pd.schedule;

import io.tidekv.proto.pdstate.RegionEntry;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Spreads the regions of a group, such as those of one import, over the stores. */
final class Scatterer {
    static final String DESCRIPTION = "scatter-region";
    private static final int GROUPS_MAX = 256;

    private final Map<String, Map<Long, Integer>> groups =
            new LinkedHashMap<>() {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Map<Long, Integer>> eldest) {
                    return size() > GROUPS_MAX;
                }
            };

    /** The store with the fewest regions of the group; the present one among equals. */
    long target(RegionEntry region, String group, List<StoreSession> takers) {
        Map<Long, Integer> counts = groups.computeIfAbsent(group, g -> new HashMap<>());
        long best = region.getOwner().getStoreId();
        boolean found = takers.stream().anyMatch(t -> t.owner.equals(region.getOwner()));
        for (StoreSession taker : takers) {
            long id = taker.owner.getStoreId();
            if (!found || counts.getOrDefault(id, 0) < counts.getOrDefault(best, 0)) {
                best = id;
                found = true;
            }
        }
        counts.merge(best, 1, Integer::sum);
        return best;
    }
}
