package io.tidekv.pd.schedule;

import com.google.protobuf.ByteString;
import io.tidekv.pd.core.Keys;
import io.tidekv.pd.core.PdState;
import io.tidekv.pd.core.RegionTable;
import io.tidekv.proto.cluster.ClusterSettings;
import io.tidekv.proto.cluster.NodeMode;
import io.tidekv.proto.pdstate.RegionEntry;
import io.tidekv.proto.pdstate.StoreEntry;
import io.tidekv.proto.pdstate.WalEntry;
import io.tidekv.proto.region.Owner;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The replicated state as decisions need it: a copy that belongs to the coordinator's thread and is
 * brought up to date by what has changed, whatever the number of regions.
 */
final class ClusterView {
    private final Map<Long, RegionEntry> regions = new LinkedHashMap<>();
    private final TreeMap<ByteString, RegionEntry> byStart = new TreeMap<>(Keys.ORDER);
    private final Map<Long, Map<Long, RegionEntry>> owned = new LinkedHashMap<>();
    private Map<Long, StoreEntry> stores = Map.of();
    private List<WalEntry> walNodes = List.of();
    private ClusterSettings settings = ClusterSettings.getDefaultInstance();
    private @Nullable RegionTable source;
    private long revision = -1;
    private long regionChange;

    /** Takes over what {@code state} has and this does not. */
    void refresh(PdState state) {
        RegionTable table = state.regions();
        if (table == source && state.revision() == revision) {
            return;
        }
        List<RegionEntry> changed = table == source ? table.changedSince(regionChange) : null;
        if (changed == null) {
            regions.clear();
            byStart.clear();
            owned.clear();
            table.all().forEach(this::put);
        } else {
            changed.forEach(this::put);
        }
        source = table;
        regionChange = table.change();
        revision = state.revision();
        settings = state.settings();
        Map<Long, StoreEntry> now = new LinkedHashMap<>();
        state.stores().forEach(s -> now.put(s.getStoreId(), s));
        stores = now;
        walNodes = List.copyOf(state.walNodes());
    }

    private void put(RegionEntry region) {
        long id = region.getShape().getRegionId();
        RegionEntry old = regions.put(id, region);
        if (old != null) {
            ByteString start = old.getShape().getStartKey();
            RegionEntry there = byStart.get(start);
            // A child of the same split may stand there by now.
            if (there != null && there.getShape().getRegionId() == id) {
                byStart.remove(start);
            }
            Map<Long, RegionEntry> before = owned.get(old.getOwner().getStoreId());
            if (before != null) {
                before.remove(id);
            }
        }
        byStart.put(region.getShape().getStartKey(), region);
        owned.computeIfAbsent(region.getOwner().getStoreId(), s -> new LinkedHashMap<>())
                .put(id, region);
    }

    /** Grows with every change of a region. */
    long regionChange() {
        return regionChange;
    }

    ClusterSettings settings() {
        return settings;
    }

    /** By id. */
    Map<Long, RegionEntry> regions() {
        return Collections.unmodifiableMap(regions);
    }

    /** By id. */
    Map<Long, StoreEntry> stores() {
        return stores;
    }

    List<WalEntry> walNodes() {
        return walNodes;
    }

    /** True when {@code owner} is the newest process of its store. */
    boolean isCurrent(Owner owner) {
        StoreEntry store = stores.get(owner.getStoreId());
        return store != null && store.getIncarnation() == owner.getIncarnation();
    }

    /** True when the store is to give away what it has. */
    boolean draining(long storeId) {
        StoreEntry store = stores.get(storeId);
        return store != null && store.getMode() == NodeMode.DRAINING;
    }

    @Nullable WalEntry walNode(long id) {
        for (WalEntry node : walNodes) {
            if (node.getWalId() == id) {
                return node;
            }
        }
        return null;
    }

    /** The regions of a store, whatever the incarnation. */
    Collection<RegionEntry> ownedBy(long storeId) {
        return Collections.unmodifiableCollection(owned.getOrDefault(storeId, Map.of()).values());
    }

    @Nullable RegionEntry region(long id) {
        return regions.get(id);
    }

    @Nullable RegionEntry containing(ByteString key) {
        Map.Entry<ByteString, RegionEntry> found = byStart.floorEntry(key);
        return found == null ? null : found.getValue();
    }
}
