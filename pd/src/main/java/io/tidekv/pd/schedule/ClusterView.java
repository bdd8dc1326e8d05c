package io.tidekv.pd.schedule;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.Keys;
import io.tidekv.pd.core.PdState;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.pdstate.WalEntry;
import io.tidekv.proto.region.Owner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The replicated state at one revision, as decisions need it. Immutable.
 *
 * @param regions by id
 * @param byStart regions in key order
 * @param owned regions by owning store, whatever the incarnation
 * @param stores by id
 */
record ClusterView(
        long revision,
        ClusterSettings settings,
        Map<Long, RegionEntry> regions,
        TreeMap<ByteString, RegionEntry> byStart,
        Map<Long, List<RegionEntry>> owned,
        Map<Long, StoreEntry> stores,
        List<WalEntry> walNodes) {

    static ClusterView of(PdState state) {
        Map<Long, RegionEntry> regions = new LinkedHashMap<>();
        TreeMap<ByteString, RegionEntry> byStart = new TreeMap<>(Keys.ORDER);
        Map<Long, List<RegionEntry>> owned = new LinkedHashMap<>();
        for (RegionEntry region : state.regions().all()) {
            regions.put(region.getShape().getRegionId(), region);
            byStart.put(region.getShape().getStartKey(), region);
            owned.computeIfAbsent(region.getOwner().getStoreId(), id -> new ArrayList<>())
                    .add(region);
        }
        Map<Long, StoreEntry> stores = new LinkedHashMap<>();
        state.stores().forEach(s -> stores.put(s.getStoreId(), s));
        return new ClusterView(
                state.revision(),
                state.settings(),
                regions,
                byStart,
                owned,
                stores,
                List.copyOf(state.walNodes()));
    }

    /** True when {@code owner} is the newest process of its store. */
    boolean isCurrent(Owner owner) {
        StoreEntry store = stores.get(owner.getStoreId());
        return store != null && store.getIncarnation() == owner.getIncarnation();
    }

    List<RegionEntry> ownedBy(long storeId) {
        return owned.getOrDefault(storeId, List.of());
    }

    @Nullable RegionEntry region(long id) {
        return regions.get(id);
    }

    @Nullable RegionEntry containing(ByteString key) {
        Map.Entry<ByteString, RegionEntry> found = byStart.floorEntry(key);
        return found == null ? null : found.getValue();
    }
}
