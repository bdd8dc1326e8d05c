package io.tidekv.pd.routing;

import io.tidekv.pd.schedule.LiveView;
import io.tidekv.pd.schedule.LiveView.StoreStatus;
import io.tidekv.proto.metapb.NodeState;
import io.tidekv.proto.metapb.Store;
import io.tidekv.proto.metapb.StoreLabel;
import io.tidekv.proto.pdpb.StoreStats;
import io.tidekv.proto.pdstate.StoreEntry;

/** Stores as TiKV's clients know them. */
public final class StoreInfos {
    private final LiveView live;

    public StoreInfos(LiveView live) {
        this.live = live;
    }

    public Store store(StoreEntry entry) {
        Store.Builder store =
                Store.newBuilder()
                        .setId(entry.getStoreId())
                        .setAddress(entry.getAddress())
                        .setPeerAddress(entry.getAddress())
                        .setStatusAddress(entry.getStatusAddress())
                        .setVersion(
                                entry.getVersion().isEmpty() ? Members.VERSION : entry.getVersion())
                        .setGitHash(entry.getGitHash())
                        .setStartTimestamp(entry.getStartTimestamp())
                        .setDeployPath(entry.getDeployPath())
                        .setNodeState(NodeState.Serving);
        StoreStatus status = live.store(entry.getStoreId());
        if (status != null) {
            store.setLastHeartbeat(status.lastSeenMillis() * 1_000_000);
        }
        entry.getLabelsList()
                .forEach(
                        l ->
                                store.addLabels(
                                        StoreLabel.newBuilder()
                                                .setKey(l.getKey())
                                                .setValue(l.getValue())));
        return store.build();
    }

    public StoreStats stats(StoreEntry entry) {
        StoreStats.Builder stats = StoreStats.newBuilder().setStoreId(entry.getStoreId());
        StoreStatus status = live.store(entry.getStoreId());
        if (status != null) {
            stats.setCapacity(status.stats().getCapacityBytes())
                    .setAvailable(status.stats().getAvailableBytes())
                    .setUsedSize(status.stats().getUsedBytes())
                    .setRegionCount((int) status.stats().getRegionCount());
        }
        return stats.build();
    }
}
